import { PayloadType } from '../src/channel/constants.ts';
import type { DataChannel } from '../src/channel/data-channel.ts';
import type { ChannelEvent } from '../src/channel/events.ts';
import { type SmuxEvent, SmuxSession } from '../src/channel/smux/index.ts';
import { SMUX_INITIAL_WINDOW } from '../src/channel/smux/limits.ts';
import { bounded, checkStats, type Limits, limitsOf } from './bounds.ts';
import type { Dice } from './dice.ts';
import { Driver } from './driver.ts';
import { dataChannel } from './end.ts';
import { MAX_WRITE } from './ledger.ts';
import { type Network, otherSide, type Side } from './network.ts';
import type { Schedule } from './schedule.ts';
import type { SimulatedEnd } from './simulation.ts';
import type { SmuxEndPlan } from './smux-scenario.ts';
import type { StreamRecord } from './smux-streams.ts';

export interface SmuxEndOptions {
  readonly side: Side;
  readonly version: 1 | 2;
  readonly plan: SmuxEndPlan;
  readonly peerPlan: SmuxEndPlan;
  readonly streams: readonly StreamRecord[];
  readonly network: Network;
  readonly schedule: Schedule;
  readonly dice: Dice;
}

/** One end of a simulated port session: its channel, its smux session, and an application at every stream. */
export class SmuxEnd extends Driver implements SimulatedEnd {
  readonly #options: SmuxEndOptions;
  readonly #hawser: DataChannel;
  readonly #smux: SmuxSession;
  readonly #limits: Limits;
  readonly #applications: Application[];
  /** Bytes polled from smux that the channel has not taken. */
  #rest: Uint8Array | undefined;
  #calm = false;
  #closed = false;

  constructor(options: SmuxEndOptions) {
    const { side, version, plan, peerPlan, streams, schedule } = options;
    const channel = dataChannel(side, plan);
    super({ ...options, channel });
    this.#options = options;
    this.#hawser = channel;
    this.#limits = limitsOf(plan, peerPlan);
    this.#smux = new SmuxSession({
      role: side === 'client' ? 'client' : 'server',
      version,
      sendBuffer: plan.sendBuffer,
      receiveBuffer: plan.smuxBuffer,
    });
    this.#applications = streams.map((stream) => new Application(stream));
    for (const application of this.#applications) this.#follow(application);
    if (side === 'agent') {
      channel.startHandshake({ sessionType: 'Port', properties: { portNumber: '22' } }, schedule.now);
    }
  }

  get settled(): boolean {
    return (
      this.#smux.size === 0 &&
      this.#rest === undefined &&
      // A stream that was reset before it was sent never comes.
      this.#applications.every(
        ({ state, stream }) => state === 'over' || (stream.reset && state === 'coming'),
      ) &&
      this.channel.acknowledged &&
      // A reader that has stopped may not have seen the last of it.
      this.#hawser.stats.receivedBytes === 0
    );
  }

  get closed(): boolean {
    return this.#closed;
  }

  get retransmissions(): number {
    return this.#hawser.stats.retransmissions;
  }

  get state(): string {
    const { side, plan, version } = this.#options;
    const streams = this.#applications
      .filter(({ state }) => state !== 'over')
      .map(({ stream, state, pending, unread, coming, finished }) =>
        [stream.id, state, `${pending}+${coming}`, unread, finished].join(' '),
      );
    const { size, unread, full } = this.#smux;
    const facts = { version, size, unread, full, rest: this.#rest?.length, ...this.#hawser.stats };
    return `${side}: ${JSON.stringify(facts)} ${JSON.stringify(plan)}\n    ${streams.join('\n    ')}`;
  }

  checkEmpty(): void {
    const { queuedBytes, unacknowledgedBytes, receivedBytes } = this.#hawser.stats;
    bounded('bytes left in an idle channel', queuedBytes + unacknowledgedBytes + receivedBytes, 0);
    bounded('unread bytes of an idle smux session', this.#smux.unread, 0);
    if (this.#smux.pollTransmit(this.#options.plan.piece)) throw new Error('an idle smux session sends');
  }

  override readOn(): void {
    this.#calm = true;
    for (const application of this.#applications) this.#consume(application, Number.POSITIVE_INFINITY);
    super.readOn();
  }

  protected override get full(): boolean {
    return this.#smux.full;
  }

  protected get wanting(): boolean {
    return this.#rest !== undefined;
  }

  protected carryOut(): void {
    for (;;) {
      for (const application of this.#applications) this.#write(application);
      this.#rest ??= this.#smux.pollTransmit(this.#options.plan.piece);
      this.#seeStreams();
      if (!this.#rest || !this.channel.writable) return;
      const taken = this.#hawser.send(this.#rest);
      this.#rest = taken < this.#rest.length ? this.#rest.subarray(taken) : undefined;
    }
  }

  protected see(event: ChannelEvent): void {
    if (event.type === 'failed') throw event.error;
    if (event.type === 'closed') this.#closed = true;
    if (event.type !== 'data') return;
    if (event.payloadType !== PayloadType.Output) throw new Error(`payload type ${event.payloadType}`);
    this.#smux.handleBytes(event.payload);
    this.#seeStreams();
  }

  protected check(): void {
    const { plan, peerPlan } = this.#options;
    checkStats(this.#hawser.stats, this.#limits);
    // Version 2 is bounded by the windows: the initial ones, and what they may grow by together.
    const windows = this.#smux.size * SMUX_INITIAL_WINDOW + plan.smuxBuffer;
    const pieces = plan.smuxBuffer + peerPlan.payloadSize;
    bounded('unread bytes', this.#smux.unread, this.#options.version === 2 ? windows : pieces);
  }

  /** Schedules what the plan says of one stream. */
  #follow(application: Application): void {
    const { side, schedule } = this.#options;
    const { stream } = application;
    const { plan } = stream;
    if (side === 'client') {
      schedule.at(plan.openAt, () => {
        stream.id = this.#smux.open();
        application.state = 'open';
        this.wake();
      });
    }
    for (const { at, length } of plan[side]) {
      application.coming++;
      schedule.at(at, () => {
        application.coming--;
        application.pending += length;
        this.wake();
      });
    }
    if (plan.reset?.side !== side) return;
    schedule.at(plan.reset.at, () => {
      if (application.state !== 'open') return;
      stream.reset = true;
      this.#smux.reset(stream.id!, { code: 'ECONNRESET', message: `by the ${side}` });
      application.end();
      this.wake();
    });
  }

  #write(application: Application): void {
    const { stream, state } = application;
    if (state !== 'open') return;
    const { side } = this.#options;
    const ledger = stream.ledgers[side];
    while (application.pending > 0 && !application.waits && !this.#deaf(application)) {
      const bytes = ledger.next(Math.min(application.pending, MAX_WRITE));
      const taken = this.#smux.write(stream.id!, bytes);
      ledger.write(PayloadType.Output, taken);
      application.pending -= taken;
      application.waits = taken < bytes.length;
    }
    if (application.ended || !this.#mayEnd(application)) return;
    application.ended = true;
    this.#smux.closeWrite(stream.id!);
    this.#settle(application);
  }

  /** In version 1 the peer's end is the end of both. */
  #deaf({ finished }: Application): boolean {
    return this.#options.version === 1 && finished;
  }

  #mayEnd(application: Application): boolean {
    const { side, version } = this.#options;
    if (this.#deaf(application)) return true;
    if (application.pending > 0 || application.coming > 0) return false;
    const { stream, read } = application;
    if (side === 'client') return version === 2;
    return !stream.plan.agentWaits || read === stream.total('client');
  }

  #seeStreams(): void {
    for (let event = this.#smux.pollEvent(); event; event = this.#smux.pollEvent()) this.#seeStream(event);
  }

  #seeStream(event: SmuxEvent): void {
    if (event.type === 'failed') throw event.error;
    const { streamId: id } = event;
    const application = this.#applications.find(({ stream }) => stream.id === id);
    if (!application) throw new Error(`${event.type} of stream ${id}, which nobody opened`);
    const { stream } = application;
    if (event.type === 'opened') application.state = 'open';
    else if (application.state === 'over') return;
    else if (event.type === 'writable') application.waits = false;
    else if (event.type === 'reset') {
      if (!stream.reset) throw new Error(`stream ${id} was reset: ${event.reason?.message}`);
      application.end();
    } else if (event.type === 'finished') {
      if (application.finished) throw new Error(`stream ${id} finished twice`);
      application.finished = true;
      this.#settle(application);
    } else this.#seeData(application, event.bytes);
  }

  #seeData(application: Application, bytes: Uint8Array): void {
    const { side, dice, schedule } = this.#options;
    const { stream } = application;
    if (application.finished) throw new Error(`data of stream ${stream.id} after its end`);
    stream.ledgers[otherSide(side)].read(PayloadType.Output, bytes);
    application.read += bytes.length;
    application.unread += bytes.length;
    if (this.#calm) this.#consume(application, Number.POSITIVE_INFINITY);
    else if (stream.plan.stalled.includes(side)) return;
    else if (dice.chance(0.7)) this.#consume(application, bytes.length);
    else {
      schedule.at(schedule.now + dice.magnitude(1, 500), () => {
        this.#consume(application, bytes.length);
        this.wake();
      });
    }
  }

  #consume(application: Application, wanted: number): void {
    const count = Math.min(wanted, application.unread);
    if (count === 0) return;
    application.unread -= count;
    this.#smux.consumed(application.stream.id!, count);
  }

  #settle(application: Application): void {
    if (application.ended && application.finished) application.state = 'over';
  }
}

/** What one end does with one stream. */
class Application {
  readonly stream: StreamRecord;
  state: 'coming' | 'open' | 'over' = 'coming';
  /** Writes whose time has not come. */
  coming = 0;
  /** Bytes whose time has come and that have not been taken. */
  pending = 0;
  /** For the event `writable`. */
  waits = false;
  ended = false;
  finished = false;
  /** Bytes that came, and those of them that have not been consumed. */
  read = 0;
  unread = 0;

  constructor(stream: StreamRecord) {
    this.stream = stream;
  }

  end(): void {
    this.state = 'over';
    this.unread = 0;
  }
}
