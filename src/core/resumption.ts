import { sleep, withDeadline } from './deadline.ts';
import { TransportError } from './errors.ts';
import type { SessionLink } from './session.ts';
import { type EndContext, endOf, type SessionEnd, type ToldEnd } from './session-end.ts';
import type { Socket } from './socket.ts';

/** The answer to a ResumeSession. */
export interface ResumeAnswer {
  /** Undefined or empty when the session is over. */
  readonly tokenValue?: string | undefined;
  /** Default: the one used before. */
  readonly streamUrl?: string | undefined;
  /** How a session ended that is over. hawser's service says so, AWS's does not. */
  readonly end?: ToldEnd | undefined;
  /**
   * The session is over for its clients, but the node has yet to report how it ended: a later answer may tell. Default
   * false.
   */
  readonly ending?: boolean | undefined;
}

/** Brings the data channel of a session back, with a token of ResumeSession, or finds out how the session ended. */
export class Resumption {
  readonly #link: Pick<SessionLink, 'platform' | 'sessionId' | 'resume' | 'open'>;
  #streamUrl: string;
  #end: ToldEnd | undefined;

  constructor(link: SessionLink) {
    this.#link = link;
    this.#streamUrl = link.streamUrl;
  }

  /** One try. @returns undefined when the session is over */
  async connect(signal: AbortSignal): Promise<Socket | undefined> {
    let answer = await this.#ask(signal);
    for (let waited = 0; answer?.ending && waited < ENDING_LIMIT; waited += ENDING_INTERVAL) {
      await sleep(this.#link.platform.clock, ENDING_INTERVAL, signal);
      answer = await this.#ask(signal);
    }
    this.#end = answer?.end;
    if (!answer?.tokenValue) return undefined;
    this.#streamUrl = answer.streamUrl ?? this.#streamUrl;
    return this.#link.open(this.#streamUrl, answer.tokenValue, signal);
  }

  /** Of a session that turned out to be over. */
  endOf(known: EndContext, lost: Error): SessionEnd {
    if (this.#end) return endOf(this.#end, known);
    return { reason: 'Ended', message: OVER_MEANWHILE, error: lost };
  }

  #ask(signal: AbortSignal): Promise<ResumeAnswer | undefined> {
    const { platform, sessionId, resume } = this.#link;
    const timedOut = () =>
      new TransportError('ERR_REQUEST_TIMEOUT', `No answer about resuming ${sessionId} came in time.`);
    return withDeadline(platform.clock, CALL_LIMIT, signal, timedOut, async (signal) => resume?.({ signal }));
  }
}

/** Milliseconds that an answer to ResumeSession or TerminateSession may take. */
export const CALL_LIMIT = 15_000;

/**
 * Milliseconds for which the node's report of the end is waited for, and between the questions: as long as hawser's agent
 * may wait before it connects again.
 */
const ENDING_LIMIT = 60_000;
const ENDING_INTERVAL = 1000;

const OVER_MEANWHILE = 'The session was already over when this client tried to resume it.';
