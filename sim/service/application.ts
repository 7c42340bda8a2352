import type { Clock } from '../../src/base/clock.ts';
import type { Dice } from '../dice.ts';
import type { Write } from './course.ts';
import { Tape } from './tape.ts';

/** What a program gives the application that uses it: a way to the other end. */
export type Put = (bytes: Uint8Array) => void;

/** Both applications of one session, and what each wrote. */
export class Conversation {
  readonly sessionId: string;
  readonly input = new Tape();
  readonly output = new Tape();
  /** Sequence number of the output that the plugin waits for. */
  outputExpected = 0;
  /** Once the node's application has ended by itself, as agreed. */
  ended = false;
  /** When that was, in milliseconds since the epoch. */
  endedAt = Number.POSITIVE_INFINITY;
  /** Output beyond this was written while the application ended. */
  lastWordsAt = Number.POSITIVE_INFINITY;

  constructor(sessionId: string) {
    this.sessionId = sessionId;
  }
}

export interface ApplicationPlan {
  readonly input: readonly Write[];
  readonly output: readonly Write[];
  /** Bytes that the node's application writes when it has been told to exit. */
  readonly lastWords: number;
}

/** The user: writes as planned, and when all is written and all output is there, tells the other end to exit. */
export class ClientApplication {
  readonly #plan: ApplicationPlan;
  readonly #clock: Clock;
  readonly #dice: Dice;
  readonly #conversation: Conversation;
  readonly #outputLength: number;
  readonly #stays: boolean;
  #put: Put | undefined;
  #writesLeft: number;
  #over = false;

  /** @param stays never tells the other end to exit */
  constructor(plan: ApplicationPlan, conversation: Conversation, clock: Clock, dice: Dice, stays: boolean) {
    this.#plan = plan;
    this.#conversation = conversation;
    this.#clock = clock;
    this.#dice = dice;
    this.#stays = stays;
    this.#writesLeft = plan.input.length;
    this.#outputLength = lengthOf(plan.output);
  }

  /** The other end takes input from now on. */
  start(put: Put): void {
    if (this.#put) return;
    this.#put = put;
    for (const { at, length } of this.#plan.input) {
      this.#clock.schedule(at, () => {
        if (this.#over) return;
        put(randomBytes(this.#dice, length));
        this.#writesLeft--;
        this.#exitWhenDone();
      });
    }
    this.#exitWhenDone();
  }

  take(bytes: Uint8Array): void {
    this.#conversation.output.arrive(bytes);
    this.#exitWhenDone();
  }

  /** The program is gone. */
  stop(): void {
    this.#over = true;
  }

  #exitWhenDone(): void {
    const { output } = this.#conversation;
    if (this.#over || this.#stays || !this.#put) return;
    if (this.#writesLeft > 0 || output.read < this.#outputLength) return;
    this.#over = true;
    this.#put(Uint8Array.of(EXIT));
  }
}

/** The shell or server on the node: writes as planned until it is told to exit, then its last words. */
export class NodeApplication {
  readonly #plan: ApplicationPlan;
  readonly #clock: Clock;
  readonly #dice: Dice;
  readonly #conversation: Conversation;
  #put: Put | undefined;
  #exit: (() => void) | undefined;
  #over = false;

  constructor(plan: ApplicationPlan, conversation: Conversation, clock: Clock, dice: Dice) {
    this.#plan = plan;
    this.#conversation = conversation;
    this.#clock = clock;
    this.#dice = dice;
  }

  /** @param exit called when it has ended by itself */
  start(put: Put, exit: () => void): void {
    this.#put = put;
    this.#exit = exit;
    for (const { at, length } of this.#plan.output) {
      this.#clock.schedule(at, () => {
        if (!this.#over) this.#write(length);
      });
    }
  }

  take(bytes: Uint8Array): void {
    this.#conversation.input.arrive(bytes);
    if (bytes.at(-1) !== EXIT || this.#over) return;
    this.#over = true;
    this.#conversation.lastWordsAt = this.#conversation.output.written;
    this.#write(this.#plan.lastWords);
    this.#conversation.ended = true;
    this.#conversation.endedAt = this.#clock.now();
    this.#exit?.();
  }

  /** It was killed. */
  stop(): void {
    this.#over = true;
  }

  #write(length: number): void {
    if (length === 0) return;
    const bytes = randomBytes(this.#dice, length);
    this.#conversation.output.write(bytes);
    this.#put?.(bytes);
  }
}

/** Ends the node's application. Nothing else that is written has it. */
const EXIT = 4;

function lengthOf(writes: readonly Write[]): number {
  return writes.reduce((sum, { length }) => sum + length, 0);
}

function randomBytes(dice: Dice, length: number): Uint8Array {
  const start = dice.whole(0, 255);
  return Uint8Array.from({ length }, (_, i) => {
    const byte = (start + Math.imul(i, 167) + (i >> 8)) & 0xff;
    return byte === EXIT ? 5 : byte;
  });
}
