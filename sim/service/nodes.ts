import { Agent } from '../../src/agent/agent.ts';
import type { SessionHandler } from '../../src/agent/session.ts';
import type { Clock } from '../../src/base/clock.ts';
import { deferred } from '../../src/base/deferred.ts';
import type { RandomSource } from '../../src/base/random.ts';
import type { Transport } from '../../src/core/socket.ts';
import { sha256Digest } from '../../src/crypto/digest.ts';
import type { Credentials } from '../../src/crypto/index.ts';
import type { Dice } from '../dice.ts';
import type { NodeApplication } from './application.ts';
import { Calls, ENDPOINT, REGION } from './calls.ts';
import type { Course } from './course.ts';
import { StockAgent, type UnacknowledgedReport } from './stock-agent.ts';

export interface NodeOptions {
  readonly course: Course;
  readonly instanceId: string;
  readonly transport: Transport;
  readonly credentials: Credentials;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly dice: Dice;
  readonly application: (sessionId: string) => NodeApplication;
}

/** A managed node with its agent. */
export interface ManagedNode {
  /** Its control channel is open, as far as it knows. */
  readonly connected: boolean;
  /** Sessions that are not over for it, and ends that it is telling of. */
  readonly busy: number;
  /** The stock agent's, which tells three times; see there. */
  readonly unacknowledged: readonly UnacknowledgedReport[];
  /** Begins to connect, and stays connected. */
  start(): void;
  stop(): Promise<void>;
}

export function nodeOf(options: NodeOptions): ManagedNode {
  return options.course.agent === 'stock' ? stockNode(options) : new HawserNode(options);
}

function stockNode(options: NodeOptions): ManagedNode {
  const { transport, clock, credentials } = options;
  const agent = new StockAgent({ ...options, calls: new Calls(transport, clock, credentials) });
  return {
    get connected() {
      return agent.connected;
    },
    get busy() {
      return agent.busy;
    },
    unacknowledged: agent.unacknowledged,
    start: () => void agent.run(),
    stop: async () => agent.stop(),
  };
}

class HawserNode implements ManagedNode {
  readonly unacknowledged = [];
  readonly #agent: Agent;

  constructor(options: NodeOptions) {
    const { instanceId, credentials, clock, random, transport } = options;
    const handler = handlerOf(options);
    this.#agent = new Agent({
      ...{ instanceId, region: REGION, endpoint: ENDPOINT, credentials },
      handlers: { Standard_Stream: handler, InteractiveCommands: handler, Port: handler },
      platform: { clock, random, transport, digest: sha256Digest },
    });
  }

  get connected(): boolean {
    return this.#agent.connected;
  }

  get busy(): number {
    return this.#agent.sessionCount;
  }

  start(): void {
    this.#agent.start().catch(() => {});
  }

  stop(): Promise<void> {
    return this.#agent.stop();
  }
}

function handlerOf({ course, application }: NodeOptions): SessionHandler {
  return async (session) => {
    if (course.kind === 'port') await session.handshake();
    const app = application(session.sessionId);
    const exited = deferred();
    session.signal.addEventListener('abort', () => app.stop());
    app.start((bytes) => void session.write(bytes), exited.resolve);
    const input = (async () => {
      for await (const bytes of session.input) app.take(bytes);
      app.stop();
    })();
    await Promise.race([exited.promise, input]);
    return {};
  };
}
