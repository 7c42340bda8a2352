import type { Clock } from '../../src/base/clock.ts';
import type { RandomSource } from '../../src/base/random.ts';
import { SessionClient } from '../../src/core/client.ts';
import type { Session } from '../../src/core/session.ts';
import type { Transport } from '../../src/core/socket.ts';
import { sha256Digest } from '../../src/crypto/digest.ts';
import type { Credentials } from '../../src/crypto/index.ts';
import type { Dice } from '../dice.ts';
import type { ClientApplication, Conversation } from './application.ts';
import { Calls, ENDPOINT, REGION } from './calls.ts';
import type { Course } from './course.ts';
import { wait } from './retry.ts';
import { type ClientEnd, StockPlugin } from './stock-plugin.ts';

export interface ClientOptions {
  readonly course: Course;
  readonly target: string;
  readonly transport: Transport;
  readonly credentials: Credentials;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly dice: Dice;
  /** A session has been started, and this program is its client. */
  readonly conversation: (sessionId: string) => Conversation;
  readonly application: (conversation: Conversation) => ClientApplication;
}

/** A client that runs one session. */
export interface Client {
  /** Starts it, and comes back when the program is at its end, or will never do anything any more. */
  run(): Promise<ClientEnd | 'not started'>;
  kill(): void;
}

export function clientOf(options: ClientOptions): Client {
  return options.course.client === 'plugin' ? new StockClient(options) : new HawserClient(options);
}

/** Its document, by the name of which every session is started. */
const DOCUMENTS = {
  shell: {},
  command: { DocumentName: 'AWS-StartInteractiveCommand', Parameters: { command: ['top'] } },
  port: { DocumentName: 'AWS-StartSSHSession', Parameters: { portNumber: ['22'] } },
} as const;

/** The AWS CLI with its plugin. */
class StockClient implements Client {
  readonly #options: ClientOptions;
  readonly #calls: Calls;
  #plugin: StockPlugin | undefined;
  #killed = false;

  constructor(options: ClientOptions) {
    const { transport, clock, credentials } = options;
    this.#options = options;
    this.#calls = new Calls(transport, clock, credentials);
  }

  async run(): Promise<ClientEnd | 'not started'> {
    const { course, target, clock, random, dice } = this.#options;
    const started = await tried(clock, () =>
      this.#calls.ssm('StartSession', { Target: target, ...DOCUMENTS[course.kind] }),
    );
    if (!started) return 'not started';
    const { SessionId: sessionId = '', StreamUrl: streamUrl = '', TokenValue: token = '' } = started;
    const conversation = this.#options.conversation(sessionId);
    if (this.#killed || token === '') return 'lost';
    const application = this.#options.application(conversation);
    this.#plugin = new StockPlugin({
      ...{ course, clock, random, dice, conversation, application, calls: this.#calls },
      access: { sessionId, streamUrl, token },
    });
    void this.#plugin.run();
    return this.#plugin.ended;
  }

  kill(): void {
    this.#killed = true;
    this.#plugin?.kill();
  }
}

class HawserClient implements Client {
  readonly #options: ClientOptions;
  readonly #client: SessionClient;

  constructor(options: ClientOptions) {
    const { credentials, clock, random, transport } = options;
    this.#options = options;
    this.#client = new SessionClient({
      region: REGION,
      endpoint: ENDPOINT,
      credentials,
      platform: { clock, random, transport, digest: sha256Digest },
    });
  }

  async run(): Promise<ClientEnd | 'not started'> {
    const { course, target, clock } = this.#options;
    const { DocumentName: documentName, Parameters: parameters } = {
      DocumentName: undefined,
      Parameters: undefined,
      ...DOCUMENTS[course.kind],
    };
    const session = await tried(clock, () =>
      this.#client.startSession({ target, documentName, parameters, resumeBudget: RESUME_BUDGET }),
    );
    if (!session) return 'not started';
    const conversation = this.#options.conversation(session.sessionId);
    const application = this.#options.application(conversation);
    const writer = session.stdin.getWriter();
    session.ready
      .then(() =>
        application.start((bytes) => {
          conversation.input.write(bytes);
          writer.write(bytes).catch(() => {});
        }),
      )
      .catch(() => {});
    const [end] = await Promise.all([session.ended, this.#read(session, application)]);
    application.stop();
    if (end.reason === 'ChannelFailed') throw end.error;
    return end.reason === 'ConnectionLost' ? 'lost' : end.reason === 'Ended' ? 'timed out' : 'closed';
  }

  kill(): void {
    // It has no network any more, which it will find out.
  }

  /** Now and then the reader stops for a while. */
  async #read(session: Session, application: ClientApplication): Promise<void> {
    const { clock, dice } = this.#options;
    const reader = session.stdout.getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      application.take(value);
      if (dice.chance(0.02)) await wait(clock, dice.magnitude(10, 1000));
    }
  }
}

/** A user who is patient enough. */
export async function tried<T>(clock: Clock, start: () => Promise<T>): Promise<T | undefined> {
  for (let tries = 0; tries < 40; tries++) {
    try {
      return await start();
    } catch {
      await wait(clock, 500);
    }
  }
  return undefined;
}

/** Milliseconds. */
const RESUME_BUDGET = 40_000;
