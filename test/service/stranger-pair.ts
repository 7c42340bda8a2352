/**
 * A plugin and an agent at their worst (`sim/strangers.ts`) with something between them: this service, or a relay that
 * does nothing but relay.
 */

import { PluginStranger, RealAgentStranger } from '../../sim/strangers.ts';
import type { Socket } from '../../src/core/socket.ts';
import { sha256Digest } from '../../src/crypto/index.ts';
import { pausePublicationFrame, startPublicationFrame } from '../../src/service/frames.ts';
import { type SocketPair, seededRandom, socketPair, VirtualClock } from '../../src/testing/index.ts';
import { world } from './world.ts';

/** One way, in milliseconds. */
export const LATENCY = 20;

/** What stands between the two: new data channels, and a way to break them. */
export interface Middle {
  readonly clock: VirtualClock;
  agent(): Promise<Socket>;
  client(): Promise<Socket>;
  cutClient(): Promise<void>;
}

export async function throughService(): Promise<Middle> {
  const clock = new VirtualClock();
  const w = world({ clock, latency: LATENCY });
  const node = await w.node();
  await clock.advance(10 * LATENCY);
  const session = await w.start();
  let started = false;
  return {
    clock,
    agent: async () => (await node.joinReady(session.SessionId)).socket,
    async client() {
      const access = started ? await w.ok('ResumeSession', session) : session;
      started = true;
      return (await w.client(access as never)).socket;
    },
    async cutClient() {
      // Control channel, agent, client.
      w.transport.connections.at(-1)!.cut();
      await clock.advance(1);
    },
  };
}

/** Frames from one to the other; when the client is away, the agent is told to pause. Knows nothing else. */
export function throughNaiveRelay(): Middle {
  const clock = new VirtualClock();
  const context = { clock, random: seededRandom(7), digest: sha256Digest, limits: { frame: 1_048_576 } };
  const ends: { agent?: SocketPair; client?: SocketPair } = {};
  const join = (side: 'agent' | 'client') => {
    const other = side === 'agent' ? 'client' : 'agent';
    const pair = socketPair({ clock, latency: LATENCY });
    ends[side] = pair;
    pair.server.handler = {
      message: (data) => ends[other]?.open && ends[other].server.send(data),
      closed: () => ends.agent?.server.send(pausePublicationFrame(context)),
    };
    if (side === 'client') ends.agent?.server.send(startPublicationFrame(context as never));
    return pair.client;
  };
  return {
    clock,
    agent: async () => join('agent'),
    client: async () => join('client'),
    async cutClient() {
      ends.client!.cut();
      await clock.advance(1);
    },
  };
}

/** The two programs, and what the client has shown. */
export class StrangerPair {
  readonly plugin: PluginStranger;
  readonly agent: RealAgentStranger;
  shown = '';
  typed = '';
  readonly #middle: Middle;

  constructor(middle: Middle) {
    const random = seededRandom(9);
    this.#middle = middle;
    this.plugin = new PluginStranger(() => random.uuid(), sha256Digest);
    this.agent = new RealAgentStranger(() => random.uuid(), sha256Digest);
  }

  async connectAgent(): Promise<void> {
    this.#drive(await this.#middle.agent(), this.agent, (text) => {
      this.typed += text;
    });
  }

  async connectClient(): Promise<void> {
    this.#drive(await this.#middle.client(), this.plugin, (text) => {
      this.shown += text;
    });
  }

  /** The agent prints numbered lines, one every few milliseconds. */
  async print(from: number, to: number, every = 2): Promise<void> {
    for (let line = from; line < to; line++) {
      this.agent.send(new TextEncoder().encode(`line ${line}\n`));
      await this.#middle.clock.advance(every);
    }
  }

  #drive(socket: Socket, end: PluginStranger | RealAgentStranger, data: (text: string) => void): void {
    const { clock } = this.#middle;
    let open = true;
    const run = () => {
      for (let event = end.pollEvent(); event; event = end.pollEvent()) {
        if (event.type === 'data') data(new TextDecoder().decode(event.payload));
      }
      for (let frame = end.pollTransmit(clock.now()); frame; frame = end.pollTransmit(clock.now()))
        socket.send(frame);
    };
    const tick = () => {
      if (!open) return;
      end.handleTimeout(clock.now());
      run();
      clock.schedule(TICK, tick);
    };
    socket.handler = {
      message: (frame) => {
        if (typeof frame === 'string') return;
        end.handleMessage(frame, clock.now());
        run();
      },
      closed: () => {
        open = false;
        end.handleDisconnected();
      },
    };
    end.handleConnected(clock.now());
    tick();
  }
}

/** How often they look for something to do, in milliseconds. */
const TICK = 5;

export function lines(to: number): string {
  return Array.from({ length: to }, (_, line) => `line ${line}\n`).join('');
}
