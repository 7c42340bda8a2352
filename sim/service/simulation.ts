import { sha256Digest } from '../../src/crypto/digest.ts';
import { memoryBus } from '../../src/service/memory-bus.ts';
import { memoryStore } from '../../src/service/memory-store.ts';
import type { CallerRecord } from '../../src/service/options.ts';
import { SessionManagerService } from '../../src/service/service.ts';
import { isOver, type SessionRecord } from '../../src/service/session-record.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { Dice } from '../dice.ts';
import { SimulationError } from '../simulation.ts';
import { ClientApplication, Conversation, NodeApplication } from './application.ts';
import { Calls, REGION } from './calls.ts';
import { checkOutcome } from './checks.ts';
import { type Client, clientOf, tried } from './clients.ts';
import { CountedClock, countedBus, countedStore, seenStore } from './counted.ts';
import type { Course } from './course.ts';
import { FaultyNetwork } from './network.ts';
import { type ManagedNode, nodeOf } from './nodes.ts';
import { remoteBus, remoteStore } from './remote.ts';
import { RestartingService } from './restarting-service.ts';
import type { ClientEnd } from './stock-plugin.ts';

export interface ServiceOutcome {
  /** Follows from every frame, and when it was sent. */
  readonly trace: number;
  readonly frames: number;
  /** Milliseconds until everything was over. */
  readonly duration: number;
  /** The real programs left something undone, and nobody else could do it. */
  readonly stalled: boolean;
}

/**
 * Plays one session, or what the client and the node make of it, through the real service to its end, and what comes
 * after: that nothing is left of it.
 *
 * @throws {SimulationError}
 */
export async function simulateService(course: Course): Promise<ServiceOutcome> {
  const simulation = new ServiceSimulation(course);
  try {
    return await simulation.run();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new SimulationError(course.seed, `${message}\n${simulation.state}`, error);
  }
}

const ACCOUNT = '111122223333';
const NODE = 'mi-0123456789abcdef0';
const NODE_SUBSCRIPTION = `subscription of node.${NODE}`;
const USER_KEY = { accessKeyId: 'AKIAUSER', secretAccessKey: 'secret-of-the-user' };
const NODE_KEY = { accessKeyId: 'ASIANODE', secretAccessKey: 'secret-of-the-node' };

class ServiceSimulation {
  readonly #course: Course;
  readonly #clock = new VirtualClock();
  /** Of the client and the node. */
  readonly #clocks = {
    client: new CountedClock(this.#clock),
    node: new CountedClock(this.#clock),
  };
  /** Every session there was, as it was written last. */
  readonly #records = new Map<string, SessionRecord>();
  readonly #store = seenStore(memoryStore(), (record) => this.#records.set(record.sessionId, record));
  /** The relays. */
  readonly #processes: readonly RestartingService[];
  readonly #network: FaultyNetwork;
  readonly #client: Client;
  readonly #node: ManagedNode;
  readonly #conversations = new Map<string, Conversation>();
  /** The session that the client has to do with. */
  #conversation: Conversation | undefined;
  #clientEnd: ClientEnd | 'not started' | undefined;
  #failure: unknown;
  #nodeDied = false;
  #closed = false;

  constructor(course: Course) {
    const { seed } = course;
    this.#course = course;
    this.#processes = this.#relays();
    this.#network = new FaultyNetwork(course, this.#clock, new Dice(8 * seed + 1), this.#processes);
    const stays = course.violence?.what === 'silence';
    this.#client = clientOf({
      course,
      target: NODE,
      transport: this.#network.transport('client'),
      credentials: USER_KEY,
      clock: this.#clocks.client,
      random: seededRandom(8 * seed + 2),
      dice: new Dice(8 * seed + 3),
      conversation: (sessionId) => {
        this.#conversation = this.#conversationOf(sessionId);
        return this.#conversation;
      },
      application: (conversation) =>
        new ClientApplication(course, conversation, this.#clock, new Dice(8 * seed + 4), stays),
    });
    this.#node = nodeOf({
      course,
      instanceId: NODE,
      transport: this.#network.transport('node'),
      credentials: NODE_KEY,
      clock: this.#clocks.node,
      random: seededRandom(8 * seed + 5),
      dice: new Dice(8 * seed + 6),
      application: (sessionId) =>
        new NodeApplication(course, this.#conversationOf(sessionId), this.#clock, new Dice(8 * seed + 7)),
    });
  }

  /** For the report of a failure. */
  get state(): string {
    const { violence, interruptions: _, input: __, output: ___, ...course } = this.#course;
    const facts = {
      virtualTime: this.#clock.now() - START,
      client: this.#clientEnd ?? 'runs',
      node: { connected: this.#node.connected, busy: this.#node.busy },
      open: this.#network.open,
      counts: this.#network.counts,
      conversations: [...this.#conversations.values()].map(({ sessionId, input, output, ended }) => ({
        sessionId,
        input: `${input.read} of ${input.written}`,
        output: `${output.read} of ${output.written}`,
        ended,
      })),
    };
    return `  ${JSON.stringify({ ...course, violence })}\n  ${JSON.stringify(facts)}`;
  }

  async run(): Promise<ServiceOutcome> {
    const clock = this.#clock;
    const started = clock.now();
    await clock.runUntil(this.#processes[0]!.service.registerTarget({ id: NODE }));
    this.#node.start();
    await this.#until('the node connects', 30_000, () => this.#node.connected);
    await clock.advance(500);

    const t0 = clock.now();
    this.#plan();
    this.#client.run().then(
      (end) => {
        this.#clientEnd = end;
      },
      (error: unknown) => {
        this.#failure = error;
      },
    );
    await this.#until('everything is over', this.#patience, () => {
      if (clock.now() < t0 + this.#lastEvent) return false;
      if (this.#clientEnd === undefined) return false;
      if (this.#node.busy > 0 && !this.#nodeDied && !this.#closed) return false;
      return [...this.#records.values()].every(isOver);
    });
    const { violence } = this.#course;
    const stalled = checkOutcome({
      course: this.#course,
      conversation: this.#conversation,
      record: this.#records.get(this.#conversation?.sessionId ?? ''),
      clientEnd: this.#clientEnd!,
      node: this.#node,
      network: this.#network,
    });
    this.#network.calm();
    const alive = !this.#nodeDied && !this.#closed;
    const control = `/v1/control-channel/${NODE}`;
    // Open is not enough: its token may be too old by the time it comes.
    const back = () =>
      this.#node.connected &&
      this.#network.open.includes(control) &&
      this.#registrations.includes(NODE_SUBSCRIPTION);
    if (alive) await this.#until('the node is back', 60_000, back);
    await clock.advance(SETTLING);
    this.#checkNothingLeft(alive ? [control] : [], alive);
    if (violence?.what !== 'service closes') await this.#checkQuiet();
    await this.#end();
    return {
      trace: this.#network.trace >>> 0,
      frames: this.#network.counts.frames,
      duration: clock.now() - started,
      stalled,
    };
  }

  #relays(): RestartingService[] {
    const { relays, limits, timers, seed } = this.#course;
    const alone = relays === 1;
    const shared = alone ? this.#store : remoteStore(this.#clock, this.#store);
    const sharedBus = alone ? undefined : remoteBus(this.#clock);
    return Array.from(
      { length: relays },
      (_, i) =>
        new RestartingService(
          this.#clock,
          shared,
          ({ store, clock, registrations, life }) =>
            new SessionManagerService({
              region: REGION,
              accountId: ACCOUNT,
              credentials: (id) => CALLERS.get(id),
              platform: {
                clock,
                random: seededRandom(8 * seed + 100 * i + LIFE * life),
                digest: sha256Digest,
              },
              store: countedStore(store, registrations),
              bus: countedBus(sharedBus ?? memoryBus(), registrations),
              ...{ limits, timers },
              onEvent: (event) => {
                if (event.type === 'error') this.#failure = event.error;
              },
            }),
        ),
    );
  }

  get #registrations(): string[] {
    return this.#processes.flatMap(({ registrations }) => registrations.names).sort();
  }

  /** Everything that is going to happen to the network and to the session. */
  #plan(): void {
    const { interruptions, closing, violence, restarts } = this.#course;
    for (const { at, downtime } of restarts) this.#clock.schedule(at, () => this.#restart(downtime));
    for (const { at, victim, duration } of interruptions) {
      this.#clock.schedule(at, () => this.#network.interrupt(victim, duration));
    }
    if (closing) this.#clock.schedule(closing.at, () => this.#network.closeAtOnce(closing.duration));
    if (violence) this.#clock.schedule(violence.at, () => void this.#strike());
  }

  #restart(downtime: number): void {
    const [process] = this.#processes;
    if (!process?.up) return; // it is down already
    process.kill();
    this.#network.killService();
    this.#clock.schedule(downtime, () => {
      process.restart().catch((error: unknown) => {
        this.#failure = error;
      });
    });
  }

  async #strike(): Promise<void> {
    switch (this.#course.violence?.what) {
      case 'TerminateSession':
        await this.#terminateSessions();
        return;
      case 'client dies':
        this.#network.kill('client');
        this.#client.kill();
        return;
      case 'node dies':
        this.#nodeDied = true;
        this.#network.kill('node');
        if (this.#course.agent === 'stock') await this.#node.stop();
        return;
      case 'service closes':
        this.#closed = true;
        await this.#closeAll();
        return;
    }
  }

  async #closeAll(): Promise<void> {
    await Promise.all(this.#processes.map(({ service }) => service.close()));
  }

  /** Somebody else calls it, as soon as there is a session. */
  async #terminateSessions(): Promise<void> {
    const calls = new Calls(
      { fetch: (request) => this.#processes[0]!.fetch(request), connect: () => Promise.reject(new Error()) },
      this.#clock,
      USER_KEY,
    );
    while (!this.#conversation && this.#clientEnd === undefined) {
      await new Promise<void>((resolve) => this.#clock.schedule(50, resolve));
    }
    const SessionId = this.#conversation?.sessionId;
    if (SessionId !== undefined) await tried(this.#clock, () => calls.ssm('TerminateSession', { SessionId }));
  }

  #conversationOf(sessionId: string): Conversation {
    const conversation = this.#conversations.get(sessionId) ?? new Conversation(sessionId);
    this.#conversations.set(sessionId, conversation);
    return conversation;
  }

  get #lastEvent(): number {
    const { interruptions, closing, violence, restarts } = this.#course;
    return Math.max(
      0,
      ...restarts.map(({ at, downtime }) => at + downtime),
      ...interruptions.map(({ at, duration }) => at + duration),
      (closing?.at ?? 0) + (closing?.duration ?? 0),
      violence?.at ?? 0,
    );
  }

  /** Until the idle timer has ended everything that nothing else ended, and the node has heard of it. */
  get #patience(): number {
    return (this.#course.timers.idle ?? 0) + AFTERMATH;
  }

  /** @throws what any part of the simulation threw */
  async #until(what: string, patience: number, done: () => boolean): Promise<void> {
    const deadline = this.#clock.now() + patience;
    while (!done()) {
      await this.#clock.advance(STEP);
      if (this.#failure) throw this.#failure;
      if (this.#clock.now() > deadline) throw new Error(`after ${patience} ms still waiting until ${what}`);
    }
  }

  #checkNothingLeft(open: readonly string[], nodeConnected: boolean): void {
    same('open sockets', this.#network.open, open);
    same('registrations', this.#registrations, nodeConnected ? [NODE_SUBSCRIPTION, `watch of ${NODE}`] : []);
    // A control channel has the timer of its heartbeat.
    const pending = this.#processes.reduce((sum, { clock }) => sum + clock.pending, 0);
    same('timers of the service', pending, nodeConnected ? 1 : 0);
    if (this.#course.client === 'hawser') same('timers of the client', this.#clocks.client.pending, 0);
  }

  /** Nobody goes on asking for a data channel of a session that is over. */
  async #checkQuiet(): Promise<void> {
    const { dataChannelCalls } = this.#network.counts;
    await this.#clock.advance(60_000);
    if (this.#nodeDied && this.#course.agent === 'hawser') return;
    same('CreateDataChannel calls', this.#network.counts.dataChannelCalls, dataChannelCalls);
  }

  async #end(): Promise<void> {
    await this.#clock.runUntil(this.#node.stop(), 60_000);
    await this.#clock.runUntil(this.#closeAll(), 60_000);
    await this.#clock.advance(60_000);
    this.#checkNothingLeft([], false);
    if (this.#course.agent === 'hawser') same('timers of the node', this.#clocks.node.pending, 0);
    await this.#clock.runUntilIdle();
  }
}

/** Milliseconds. */
const STEP = 100;
const AFTERMATH = 80_000;
/** For what is under way, and for an end that notices late that it was cut off. */
const SETTLING = 2900;
/** So that no process has the random numbers of another. */
const LIFE = 1_000_003;
const START = new VirtualClock().now();

const CALLERS = new Map<string, CallerRecord>(
  [
    { ...USER_KEY, principal: principal('jane') },
    { ...NODE_KEY, principal: principal('node'), targetId: NODE },
  ].map((caller) => [caller.accessKeyId, caller]),
);

function principal(name: string) {
  return { arn: `arn:aws:iam::${ACCOUNT}:user/${name}`, accountId: ACCOUNT, userId: name, userName: name };
}

function same(what: string, actual: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what} that are left: ${a}, expected ${b}`);
}
