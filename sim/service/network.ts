import { MessageType } from '../../src/channel/constants.ts';
import { peekMessageType } from '../../src/channel/decode.ts';
import { TransportError } from '../../src/core/errors.ts';
import type { ConnectOptions, Socket, SocketHandler, Transport } from '../../src/core/socket.ts';
import { sequenceNumberOf } from '../../src/service/stream-data.ts';
import type { MemoryService } from '../../src/testing/memory-transport.ts';
import { type SocketPair, socketPair } from '../../src/testing/socket-pair.ts';
import type { VirtualClock } from '../../src/testing/virtual-clock.ts';
import type { Dice } from '../dice.ts';
import type { Course, Victim } from './course.ts';
import { wait } from './retry.ts';

export type Machine = 'client' | 'node';

/** What there is to count. */
export interface NetworkCounts {
  upgrades: number;
  /** CreateDataChannel calls. */
  dataChannelCalls: number;
  frames: number;
}

/**
 * The machines' ways to the service. A WebSocket loses nothing by itself: what is lost was under way in a socket that
 * was cut, and either end may notice that late.
 */
export class FaultyNetwork {
  readonly counts: NetworkCounts = { upgrades: 0, dataChannelCalls: 0, frames: 0 };
  /** Sequence numbers of the output that the service has received. */
  readonly outputArrived = new Set<number>();
  /** When control channels were lost. */
  readonly controlLosses: number[] = [];
  readonly dataLosses: { readonly at: number; readonly victim: Victim }[] = [];
  /** Follows from every frame, and when it was sent. */
  trace = 0x811c9dc5;
  readonly #course: Course;
  readonly #clock: VirtualClock;
  readonly #dice: Dice;
  readonly #relays: readonly MemoryService[];
  readonly #connections = new Set<Connection>();
  readonly #downUntil = { client: 0, node: 0 };
  readonly #dead = new Set<Machine>();
  readonly #lostControl: Set<string>;
  #closingUntil = 0;
  #slowUpgrades = 0;
  #framesToClient = 0;
  #acknowledgesUnderWay = 0;
  #calm = false;

  constructor(course: Course, clock: VirtualClock, dice: Dice, relays: readonly MemoryService[]) {
    this.#course = course;
    this.#clock = clock;
    this.#dice = dice;
    this.#relays = relays;
    this.#lostControl = new Set(course.lostControl);
  }

  /** Acknowledges that the client sent and the service never got; for when nothing is under way. */
  get lostAcknowledges(): number {
    return this.#acknowledgesUnderWay;
  }

  /** The paths of the connections that are open, sorted. */
  get open(): string[] {
    return [...this.#connections]
      .filter(({ pair }) => pair.open)
      .map(({ path }) => path)
      .sort();
  }

  transport(machine: Machine): Transport {
    return {
      fetch: (request) => this.#fetch(machine, request),
      connect: (url, options) => this.#connect(machine, url, options),
    };
  }

  /** From now on nothing goes wrong any more. */
  calm(): void {
    this.#calm = true;
  }

  interrupt(victim: Victim, duration: number): void {
    const machine: Machine = victim.startsWith('client') ? 'client' : 'node';
    const down = this.#clock.now() + duration;
    if (!this.#calm) this.#downUntil[machine] = Math.max(this.#downUntil[machine], down);
    this.#cut((connection) => {
      if (victim === 'client network' || victim === 'node network') return connection.machine === machine;
      return connection.victim === victim;
    });
  }

  /** The service is killed: it hears nothing more of its sockets. */
  killService(): void {
    this.#cut(({ pair }) => {
      pair.server.handler = undefined;
      return false;
    });
    this.#cut(() => true);
  }

  /** The machine is switched off, or the program killed. */
  kill(machine: Machine): void {
    this.#dead.add(machine);
    this.#cut((connection) => connection.machine === machine);
  }

  /** For so long, data channels of the agent are closed as soon as they are open. */
  closeAtOnce(duration: number): void {
    this.#closingUntil = this.#clock.now() + duration;
    this.#cut(({ victim }) => victim === 'agent');
  }

  async #fetch(machine: Machine, request: Request): Promise<Response> {
    this.#check(machine);
    if (new URL(request.url).pathname.startsWith('/v1/data-channel/')) this.counts.dataChannelCalls++;
    await this.#travel();
    const response = await this.#dice.pick(this.#relays).fetch(request);
    await this.#travel();
    this.#check(machine);
    return response;
  }

  async #connect(
    machine: Machine,
    url: string,
    { headers = {}, signal }: ConnectOptions = {},
  ): Promise<Socket> {
    this.#check(machine);
    if (!this.#calm && this.#dice.chance(this.#course.slowUpgrade) && this.#slowUpgrades++ < MAX_SLOW) {
      await wait(this.#clock, SLOW);
    }
    this.counts.upgrades++;
    await this.#travel();
    const target = new URL(url.replace(/^ws/, 'http'));
    const request = new Request(target, { headers: { host: target.host, upgrade: 'websocket', ...headers } });
    const answer = await this.#dice.pick(this.#relays).upgrade(request);
    if (answer instanceof Response) {
      throw new TransportError('ERR_UPGRADE_REFUSED', `refused with ${answer.status}`);
    }
    const control = target.pathname.startsWith('/v1/control-channel/');
    const victim = control ? 'control' : machine === 'client' ? 'client' : 'agent';
    const pair = this.#pair(victim);
    this.#connections.add({ path: target.pathname, machine, victim, pair });
    answer(pair.server);
    await this.#travel();
    this.#check(machine, pair);
    if (!pair.open) throw new TransportError('ERR_CONNECT_FAILED', 'the connection broke as it was made');
    if (signal?.aborted) {
      pair.cut();
      throw signal.reason;
    }
    if (victim === 'agent' && this.#clock.now() < this.#closingUntil) this.#clock.schedule(1, pair.cut);
    return pair.client;
  }

  async #travel(): Promise<void> {
    if (this.#course.latency > 0) await wait(this.#clock, this.#course.latency);
  }

  /** @throws when the machine has no network */
  #check(machine: Machine, pair?: SocketPair): void {
    if (!this.#dead.has(machine) && this.#clock.now() >= this.#downUntil[machine]) return;
    pair?.cut();
    throw new TransportError('ERR_CONNECT_FAILED', `the ${machine} has no network`);
  }

  #pair(victim: Victim): SocketPair {
    const { latency, capacity } = this.#course;
    const pair = socketPair({ clock: this.#clock, latency, capacity });
    const { unnoticed } = this.#course;
    const late = () => (this.#calm ? 0 : this.#dice.fraction() * unnoticed);
    const lateEnd = this.#dice.pick(['client', 'server']);
    const end = (name: 'client' | 'server') =>
      new FaultySocket(pair[name], {
        sent: (data, forward) => {
          if (victim === 'client' && name === 'client') this.#countAcknowledge(data, 1);
          this.#sent(victim, pair, data, forward);
          if (victim === 'client' && name === 'server') this.#cutInBetween(pair);
        },
        arrived: (data) => {
          if (victim === 'client' && name === 'server') this.#countAcknowledge(data, -1);
          if (victim === 'agent' && name === 'server') this.#noteOutput(data);
        },
        closed: (code, tell) => {
          if (name === 'client' && code === LOST) this.#noteLoss(victim);
          const delay = name === lateEnd ? late() : 0;
          if (delay > 0) this.#clock.schedule(delay, tell);
          else tell();
        },
      });
    return {
      client: end('client'),
      server: end('server'),
      cut: pair.cut,
      get open() {
        return pair.open;
      },
    };
  }

  #noteLoss(victim: Victim): void {
    const at = this.#clock.now();
    if (victim === 'control') this.controlLosses.push(at);
    else this.dataLosses.push({ at, victim });
  }

  /** Within the time in which what was sent to the client, or its acknowledge, is under way. */
  #cutInBetween(pair: SocketPair): void {
    const { cutClientAfter, latency } = this.#course;
    this.#framesToClient++;
    if (this.#calm || !cutClientAfter.includes(this.#framesToClient)) return;
    this.#clock.schedule(this.#dice.fraction() * 2 * latency, pair.cut);
  }

  #noteOutput(data: Uint8Array | string): void {
    if (typeof data === 'string' || peekMessageType(data) !== MessageType.OutputStreamData) return;
    this.outputArrived.add(sequenceNumberOf(data));
  }

  #countAcknowledge(data: Uint8Array | string, count: 1 | -1): void {
    const isOne = typeof data !== 'string' && peekMessageType(data) === MessageType.Acknowledge;
    if (isOne) this.#acknowledgesUnderWay += count;
  }

  #sent(victim: Victim, pair: SocketPair, data: Uint8Array | string, forward: () => void): void {
    forward();
    if (typeof data === 'string') return;
    this.counts.frames++;
    this.#note(data);
    if (victim !== 'control' || this.#calm) return;
    if (this.#dice.chance(this.#course.doubled)) forward();
    if (this.#lostControl.delete(peekMessageType(data))) pair.cut();
  }

  #cut(matches: (connection: Connection) => boolean): void {
    for (const connection of this.#connections) {
      if (!connection.pair.open) this.#connections.delete(connection);
      else if (matches(connection)) connection.pair.cut();
    }
  }

  #note(frame: Uint8Array): void {
    for (const word of [frame.length, this.#clock.now() % 1e6, frame[55] ?? 0, frame.at(-1) ?? 0]) {
      this.trace = Math.imul(this.trace ^ word, 0x01000193);
    }
  }
}

interface Connection {
  readonly path: string;
  readonly machine: Machine;
  readonly victim: Victim;
  readonly pair: SocketPair;
}

interface SocketEvents {
  sent(data: Uint8Array | string, forward: () => void): void;
  arrived(data: Uint8Array | string): void;
  closed(code: number, tell: () => void): void;
}

/** The code of a connection that broke. */
const LOST = 1006;
/** Milliseconds; more than a short-lived token lives. */
const SLOW = 2000;
/** Upgrades; with more, an agent would be right to give up its handshake after 15 seconds (PROTOCOL.md section 7). */
const MAX_SLOW = 3;

/** One end of a connection, between whoever uses it and the socket. */
class FaultySocket implements Socket {
  readonly #socket: Socket;
  readonly #events: SocketEvents;
  #handler: SocketHandler | undefined;

  constructor(socket: Socket, events: SocketEvents) {
    this.#socket = socket;
    this.#events = events;
  }

  get handler(): SocketHandler | undefined {
    return this.#handler;
  }

  set handler(handler: SocketHandler | undefined) {
    this.#handler = handler;
    this.#socket.handler = {
      message: (data) => {
        this.#events.arrived(data);
        this.#handler?.message(data);
      },
      drained: () => this.#handler?.drained?.(),
      pong: () => this.#handler?.pong?.(),
      closed: (code, reason) => this.#events.closed(code, () => this.#handler?.closed(code, reason)),
    };
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  send(data: Uint8Array | string): void {
    this.#events.sent(data, () => this.#socket.send(data));
  }

  ping(): void {
    this.#socket.ping?.();
  }

  close(code?: number, reason?: string): void {
    this.#socket.close(code, reason);
  }

  pause(): void {
    this.#socket.pause?.();
  }

  resume(): void {
    this.#socket.resume?.();
  }
}
