import { SmuxError, type SmuxEvent, SmuxSession } from '../src/channel/smux/index.ts';
import { SMUX_INITIAL_WINDOW } from '../src/channel/smux/limits.ts';
import { bounded } from './bounds.ts';
import { Dice } from './dice.ts';

/**
 * Live smux sessions fed by a peer that means harm: frames of every kind with any id, length and payload, bytes
 * changed on the way, cut anywhere. Between them, an application that does anything, and a driver that keeps to
 * {@link SmuxSession.full}.
 */
export class SmuxFuzzer {
  /** Frames fed so far, and sessions that were over before their last. */
  frames = 0;
  failed = 0;

  /** @throws when a session throws, breaks its word, or keeps more than it may */
  run(seed: number, count: number): void {
    const dice = new Dice(seed + 0x2_0000_0000);
    for (let left = count; left > 0; left -= SESSION) this.#attack(dice, Math.min(left, SESSION));
  }

  #attack(dice: Dice, count: number): void {
    const options = {
      role: dice.pick(['client', 'server'] as const),
      version: dice.pick([1, 2] as const),
      maxStreams: dice.magnitude(1, 64),
      sendBuffer: dice.magnitude(1, 65_536),
      receiveBuffer: dice.magnitude(1, 1_048_576),
    };
    const smux = new SmuxSession(options);
    const { version, maxStreams, receiveBuffer } = options;
    const application = new Application(smux, dice, dice.pick([0, 0.1, 0.9]));
    // What is never changed on the way gets further.
    const noise = dice.pick([0, 0, 0.001, 0.05]);
    for (let i = 0; i < count && !application.over; i++) {
      if (smux.full) {
        application.makeRoom();
        if (smux.full) throw new Error('a session that is full of nothing');
      }
      const bytes = piece(dice, version, noise);
      this.frames++;
      smux.handleBytes(bytes);
      application.step(bytes.length);
      bounded('streams', smux.size, maxStreams);
      // Version 2 is bounded by the windows: the initial ones, and what they may grow by together.
      const windows = maxStreams * SMUX_INITIAL_WINDOW + receiveBuffer;
      bounded('unread', smux.unread, version === 2 ? windows : receiveBuffer + bytes.length);
    }
    if (application.over) this.failed++;
    application.makeRoom();
    for (const id of application.ids) smux.reset(id);
    application.makeRoom();
    bounded('streams', smux.size, 0);
    bounded('unread', smux.unread, 0);
  }
}

/** What stands above a session. */
class Application {
  readonly ids = new Set<number>();
  /** Whether the session has failed. */
  over = false;
  readonly #smux: SmuxSession;
  readonly #dice: Dice;
  readonly #activity: number;

  constructor(smux: SmuxSession, dice: Dice, activity: number) {
    this.#smux = smux;
    this.#dice = dice;
    this.#activity = activity;
  }

  /** Sees what happened, and does something or nothing. */
  step(fed: number): void {
    this.#poll(fed);
    if (!this.#dice.chance(this.#activity)) return;
    const smux = this.#smux;
    const id = this.#dice.chance(0.9) ? this.#dice.pick([...this.ids, 3]) : anyId(this.#dice);
    const what = this.#dice.fraction();
    if (what < 0.15) this.#open();
    else if (what < 0.4) smux.write(id, SOME_BYTES.subarray(0, this.#dice.magnitude(1, 65_536)));
    else if (what < 0.45) smux.closeWrite(id);
    else if (what < 0.5)
      smux.reset(id, this.#dice.chance(0.5) ? { code: 'E', message: 'why not' } : undefined);
    else if (what < 0.8) smux.consumed(id, this.#dice.magnitude(1, 1_000_000));
    else if (what < 0.81) smux.reset(id, { code: '\u0000'.repeat(100), message: '\ud800'.repeat(1000) });
    else this.#transmit(this.#dice.whole(1, 3));
  }

  /** Reads everything, and takes everything that is to be sent. */
  makeRoom(): void {
    for (const id of this.ids) this.#smux.consumed(id, Number.MAX_SAFE_INTEGER);
    this.#transmit(Number.POSITIVE_INFINITY);
    this.#poll(0);
  }

  /** @param fed bytes: each makes one event at the most; and each stream may have become writable */
  #poll(fed: number): void {
    let events = 0;
    for (let event = this.#smux.pollEvent(); event; event = this.#smux.pollEvent()) {
      events++;
      this.#see(event);
    }
    bounded('events', events, fed + this.ids.size + 1);
  }

  #see(event: SmuxEvent): void {
    if (this.over) throw new Error(`${event.type} after the end`);
    if (event.type === 'failed') {
      if (!(event.error instanceof SmuxError) || event.error.code !== 'ERR_SMUX_FRAME') throw event.error;
      this.over = true;
    } else if (event.type === 'opened') {
      if (this.ids.has(event.streamId)) throw new Error(`stream ${event.streamId} was opened twice`);
      this.ids.add(event.streamId);
    } else if (!this.ids.has(event.streamId)) {
      throw new Error(`${event.type} of stream ${event.streamId}, which nobody opened`);
    } else if (event.type === 'reset' && event.reason) {
      bounded('characters of a reason', event.reason.code.length, 64);
      bounded('characters of a reason', event.reason.message.length, 256);
    }
  }

  #open(): void {
    try {
      this.ids.add(this.#smux.open());
    } catch (error) {
      if (!(error instanceof SmuxError)) throw error;
    }
  }

  #transmit(most: number): void {
    for (let i = 0; i < most; i++) {
      const limit = this.#dice.magnitude(2_048, 65_536);
      const bytes = this.#smux.pollTransmit(limit);
      if (!bytes) return;
      if (bytes.length === 0) throw new Error('a transmit of nothing');
      bounded('a transmit', bytes.length, limit);
      if (i > MAX_TRANSMISSIONS) throw new Error('a session that sends for ever');
    }
  }
}

/** Some frames, or a part of one. */
function piece(dice: Dice, version: number, noise: number): Uint8Array {
  const frames = Array.from({ length: dice.magnitude(1, 20) }, () => hostileFrame(dice, version));
  const bytes = Buffer.concat(frames);
  while (dice.chance(noise)) bytes[dice.whole(0, bytes.length - 1)] = dice.whole(0, 255);
  return dice.chance(noise) ? bytes.subarray(0, dice.whole(0, bytes.length)) : bytes;
}

function hostileFrame(dice: Dice, version: number): Buffer {
  const command = dice.chance(0.9999) ? dice.whole(0, version === 1 ? 3 : 5) : dice.whole(0, 255);
  const payload = hostilePayload(dice, command);
  const frame = Buffer.alloc(8 + payload.length);
  frame[0] = version;
  frame[1] = command;
  frame.writeUInt16LE(payload.length, 2);
  frame.writeUInt32LE(anyId(dice), 4);
  frame.set(payload, 8);
  return frame;
}

function hostilePayload(dice: Dice, command: number): Uint8Array {
  if (command === PSH) return SOME_BYTES.subarray(0, dice.chance(0.2) ? 0 : dice.magnitude(1, 20_000));
  if (command === RST) return Buffer.from(dice.pick(REASONS));
  if (command !== UPD) return NOTHING;
  const payload = Buffer.alloc(8);
  payload.writeUInt32LE(anyNumber(dice), 0);
  payload.writeUInt32LE(anyNumber(dice), 4);
  return dice.chance(0.95) ? payload : payload.subarray(0, dice.whole(0, 7));
}

function anyId(dice: Dice): number {
  return dice.chance(0.95) ? dice.whole(0, 40) : anyNumber(dice);
}

function anyNumber(dice: Dice): number {
  return dice.pick([
    0,
    0,
    1,
    3,
    1_000,
    262_144,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    dice.whole(0, 100_000),
  ]);
}

/** Frames that one session is fed. */
const SESSION = 500;
const MAX_TRANSMISSIONS = 100_000;
const [PSH, UPD, RST] = [2, 4, 5];
const NOTHING = new Uint8Array();
const SOME_BYTES = new Uint8Array(65_536).fill(0x61);
const REASONS = [
  '',
  '{}',
  'null',
  '{"code":"E","message":"m"}',
  '{"code":1,"message":{}}',
  '{"__proto__":{"code":"E","message":"m"}}',
  `{"code":"${'c'.repeat(500)}","message":"${'m'.repeat(1000)}"}`,
  '['.repeat(1_900),
  '\ud800',
];
