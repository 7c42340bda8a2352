import {
  type ChannelEvent,
  DataChannel,
  type DataChannelOptions,
  decodeMessage,
  PayloadType,
} from '../../src/channel/index.ts';
import { sha256Digest } from '../../src/crypto/digest.ts';

/** One end of a {@link Pair}, with what it was told. */
export class End {
  readonly channel: DataChannel;
  readonly events: ChannelEvent[] = [];
  /** Does not poll data while set, like an application that does not read. */
  reading = true;

  constructor(role: 'client' | 'agent', options: Partial<DataChannelOptions>) {
    let count = 0;
    const prefix = role === 'client' ? 'c' : 'a';
    this.channel = new DataChannel({
      role,
      sessionId: 'test',
      digest: sha256Digest,
      uuid: () => `${prefix.repeat(8)}-0000-4000-8000-${(count++).toString(16).padStart(12, '0')}`,
      ...options,
    });
  }

  get text(): string {
    return Buffer.concat(
      this.events.flatMap((event) =>
        event.type === 'data' && event.payloadType === PayloadType.Output ? [event.payload] : [],
      ),
    ).toString();
  }

  typesOfEvents(): string[] {
    return this.events.map(({ type }) => type);
  }
}

/**
 * A client's and an agent's DataChannel joined by a network with a fixed delay, on a clock of their own. `step` does
 * what is due and jumps to the next thing that is; `deliver` can be replaced to lose or change frames.
 */
export class Pair {
  readonly client: End;
  readonly agent: End;
  now = 1_000;
  delay = 25;
  /** Decides over each frame: what to deliver of it. */
  deliver: (frame: Uint8Array, to: 'client' | 'agent') => readonly Uint8Array[] = (frame) => [frame];
  /** Set by `deliver`: everything under way is lost, and the connection is new. */
  cutSoon = false;
  #scheduled: { readonly at: number; readonly work: () => void }[] = [];
  #inFlight: { readonly at: number; readonly to: 'client' | 'agent'; readonly frame: Uint8Array }[] = [];

  constructor(options: { client?: Partial<DataChannelOptions>; agent?: Partial<DataChannelOptions> } = {}) {
    this.client = new End('client', options.client ?? {});
    this.agent = new End('agent', options.agent ?? {});
  }

  connect(): this {
    this.client.channel.handleConnected(this.now);
    this.agent.channel.handleConnected(this.now);
    return this;
  }

  /** Everything under way is lost, and both ends know of it. */
  cut(): void {
    this.#inFlight = [];
    this.client.channel.handleDisconnected(this.now);
    this.agent.channel.handleDisconnected(this.now);
  }

  /** Runs until nothing is due before `time`, and makes it that time. */
  runUntil(time: number): void {
    while (this.#step(time));
    this.now = time;
  }

  run(duration: number): void {
    this.runUntil(this.now + duration);
  }

  /** Does something later, of which the channels know nothing: a cipher's, or a key service's. */
  schedule(delay: number, work: () => void): void {
    this.#scheduled.push({ at: this.now + delay, work });
    this.#scheduled.sort((a, b) => a.at - b.at);
  }

  /** Frames under way, decoded. */
  get wire() {
    return this.#inFlight.map(({ frame, to }) => ({ to, message: decodeMessage(frame, sha256Digest) }));
  }

  #step(limit: number): boolean {
    this.#poll(this.client, 'agent');
    this.#poll(this.agent, 'client');
    if (this.cutSoon) {
      this.cutSoon = false;
      this.cut();
      this.connect();
      return true;
    }
    const wakes = [
      this.client.channel.pollTimeout(),
      this.agent.channel.pollTimeout(),
      this.#inFlight[0]?.at,
      this.#scheduled[0]?.at,
    ];
    const next = Math.min(...wakes.map((wake) => wake ?? Number.POSITIVE_INFINITY));
    if (next > limit) return false;
    this.now = Math.max(this.now, next);
    while (this.#inFlight[0] && this.#inFlight[0].at <= this.now) {
      const { to, frame } = this.#inFlight.shift()!;
      this[to].channel.handleMessage(frame, this.now);
    }
    while (this.#scheduled[0] && this.#scheduled[0].at <= this.now) this.#scheduled.shift()!.work();
    for (const { channel } of [this.client, this.agent]) {
      const deadline = channel.pollTimeout();
      if (deadline !== undefined && deadline <= this.now) channel.handleTimeout(this.now);
    }
    return true;
  }

  #poll(end: End, to: 'client' | 'agent'): void {
    if (end.reading)
      for (let event = end.channel.pollEvent(); event; event = end.channel.pollEvent())
        end.events.push(event);
    for (let frame = end.channel.pollTransmit(this.now); frame; frame = end.channel.pollTransmit(this.now)) {
      for (const delivered of this.deliver(frame, to))
        this.#inFlight.push({ at: this.now + this.delay, to, frame: delivered });
    }
  }
}
