import { type Session, SessionClient, type StartSessionOptions } from 'hawser';
import { Agent, type AgentOptions, type SessionHandler } from 'hawser/agent';
import { type SessionDocument, SessionManagerService } from 'hawser/service';
import { type MemoryTransport, memoryTransport, seededRandom, VirtualClock } from 'hawser/testing';

const region = 'eu-central-1';
const accountId = '111122223333';
const endpoint = 'http://service.localhost';
export const INSTANCE_ID = 'mi-0123456789abcdef0';

const USER = { accessKeyId: 'AKIAUSER', secretAccessKey: 'secret-of-the-user' };
const NODE = { accessKeyId: 'AKIANODE', secretAccessKey: 'secret-of-the-node' };
const principal = (name: string) => ({
  arn: `arn:aws:iam::${accountId}:user/${name}`,
  accountId,
  userId: name,
});

export interface WorldOptions {
  readonly handlers?: Readonly<Record<string, SessionHandler>>;
  readonly agent?: Partial<AgentOptions>;
  readonly documents?: Readonly<Record<string, SessionDocument>>;
}

/** Service, agent and client in memory, under one virtual clock. */
export interface World {
  readonly clock: VirtualClock;
  readonly service: SessionManagerService;
  readonly agent: Agent;
  readonly agentTransport: MemoryTransport;
  readonly client: SessionClient;
  /** The client's machine loses its network. */
  disconnectClient(): void;
  start(options?: Partial<StartSessionOptions>): Promise<Session>;
}

export async function world({ handlers = {}, agent, documents }: WorldOptions): Promise<World> {
  const clock = new VirtualClock();
  const service = new SessionManagerService({
    region,
    accountId,
    credentials: (id) =>
      [
        { ...USER, principal: principal('tester') },
        { ...NODE, principal: principal('node'), targetId: INSTANCE_ID },
      ].find(({ accessKeyId }) => accessKeyId === id),
    platform: { clock, random: seededRandom(1) },
    ...(documents && { documents }),
  });
  await service.registerTarget({ id: INSTANCE_ID });
  const agentTransport = memoryTransport(service, { clock, latency: 1 });
  let clientOnline = true;
  const clientTransport = memoryTransport(service, {
    clock,
    latency: 1,
    fault: () => (clientOnline ? undefined : new Error('offline')),
  });
  const client = new SessionClient({
    region,
    endpoint,
    credentials: USER,
    platform: { clock, random: seededRandom(2), transport: clientTransport },
  });
  return {
    clock,
    service,
    agentTransport,
    client,
    disconnectClient() {
      clientOnline = false;
      for (const connection of clientTransport.connections) connection.cut();
    },
    agent: new Agent({
      instanceId: INSTANCE_ID,
      region,
      endpoint,
      credentials: NODE,
      handlers,
      platform: { clock, random: seededRandom(3), transport: agentTransport },
      ...agent,
    }),
    start: (options) => clock.runUntil(client.startSession({ target: INSTANCE_ID, ...options })),
  };
}

/** A world whose agent is connected. */
export async function connectedWorld(options: WorldOptions): Promise<World> {
  const made = await world(options);
  await made.clock.runUntil(made.agent.start());
  return made;
}

/** A terminal's view of a session: what has been shown, and a way to wait for more of it. */
export class Screen {
  readonly #clock: VirtualClock;
  readonly #session: Session;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #decoder = new TextDecoder();
  /** Everything so far. */
  text = '';
  #seen = 0;

  constructor(session: Session, clock: VirtualClock) {
    this.#session = session;
    this.#clock = clock;
    this.#reader = session.stdout.getReader();
    this.#writer = session.stdin.getWriter();
  }

  /** Types, and answers what is shown from then on, up to `until`. */
  async type(keys: string | Uint8Array, until: string): Promise<string> {
    const bytes = typeof keys === 'string' ? new TextEncoder().encode(keys) : keys;
    await this.#clock.runUntil(this.#writer.write(bytes));
    return this.see(until);
  }

  /** What is shown since the last look, up to `until`. */
  async see(until: string): Promise<string> {
    let end = this.text.indexOf(until, this.#seen);
    while (end < 0) {
      const { value, done } = await this.#clock.runUntil(this.#reader.read());
      if (done)
        throw new Error(`The session ended before ${JSON.stringify(until)}: ${JSON.stringify(this.text)}`);
      this.text += this.#decoder.decode(value, { stream: true });
      end = this.text.indexOf(until, this.#seen);
    }
    const shown = this.text.slice(this.#seen, end + until.length);
    this.#seen = end + until.length;
    return shown;
  }

  /** The rest, and how the session ended. */
  async end() {
    for (;;) {
      const { value, done } = await this.#clock.runUntil(this.#reader.read());
      if (done) break;
      this.text += this.#decoder.decode(value, { stream: true });
    }
    const rest = this.text.slice(this.#seen);
    return { rest, ...(await this.#clock.runUntil(this.#session.ended)) };
  }
}
