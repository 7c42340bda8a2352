/**
 * Plays the recorded agent and client to the service: their calls, opening messages and frames in the order and at the
 * times of the recording. The service makes its own session ids and tokens, which take the places of the recorded ones.
 */
import {
  type AgentMessage,
  decodeMessage,
  encodeMessage,
  parseStartSessionTask,
  peekMessageType,
  type StartSessionTask,
} from '../../src/channel/index.ts';
import { sha256Digest } from '../../src/crypto/index.ts';
import type { Side } from '../../src/service/bus.ts';
import type { SessionDocument } from '../../src/service/index.ts';
import type { MemoryConnection } from '../../src/testing/index.ts';
import {
  isFrame,
  type RecordedFrame,
  type RecordedMark,
  type RecordingLine,
  readRecording,
} from '../support/recording.ts';
import { Peer, type Started, type WireNode, type World, world } from './world.ts';

export interface Played {
  readonly world: World;
  readonly node: WireNode;
  /** What the agent was told to start, there and here. */
  readonly start: { readonly recorded: StartSessionTask; readonly ours: StartSessionTask };
  /** Answers to calls, there and here. */
  readonly answers: readonly {
    readonly op: string;
    readonly recorded: unknown;
    readonly ours: unknown;
    readonly status: number;
  }[];
  /** Every frame from one end to the other, and what became of it here. */
  readonly relayed: readonly { readonly frame: RecordedFrame; readonly fate: Fate }[];
  /** All that an end was sent here, over all its connections. */
  readonly received: Readonly<Record<Side, readonly Uint8Array[]>>;
  /** What the service itself sent, there and here, by channel. */
  readonly recorded: Readonly<Record<Line, readonly AgentMessage[]>>;
  readonly ours: Readonly<Record<Line, readonly AgentMessage[]>>;
  /** Status of the session along the way. */
  readonly statuses: readonly string[];
}

type Line = 'client' | 'agent' | 'control';

/**
 * `passed`: arrived byte for byte in the turn in which it was sent; `kept` for an end that was away; `answered`: not
 * passed on, and acknowledged for the other end; `late`: its sender had been told that the session is over.
 */
export type Fate = 'passed' | 'kept' | 'answered' | 'late' | 'lost';

export async function playToService(name: string): Promise<Played> {
  const player = new Player(name);
  await player.play();
  return player.played();
}

class Player {
  readonly #lines: readonly RecordingLine[];
  readonly #recordedId: string;
  readonly #start: StartSessionTask;
  readonly #world: World;
  readonly #answers: Played['answers'][number][] = [];
  readonly #relayed: Played['relayed'][number][] = [];
  /** All connections of each side, newest last. */
  readonly #peers = { client: [] as Peer[], agent: [] as Peer[] };
  readonly #connections: Partial<Record<Side, MemoryConnection>> = {};
  #node!: WireNode;
  #session!: Started;
  #agentToken = '';

  constructor(name: string) {
    const lines = readRecording(name);
    // A second session in a recording is not this one's. The agent was told before the caller was answered.
    const [started, second] = lines.filter(
      (line): line is RecordedMark => !isFrame(line) && line.op === 'AmazonSSM.StartSession',
    );
    this.#lines = second ? lines.filter(({ at }) => at < second.at - 10) : lines;
    this.#recordedId = (started!.response as Started).SessionId;
    const told = this.#lines.find((line) => isFrame(line) && line.channel === 'control') as RecordedFrame;
    this.#start = parseStartSessionTask(decodeMessage(told.data, sha256Digest).payload);
    const { documentName, documentContent } = this.#start;
    this.#world = world({ documents: { [documentName]: documentContent as unknown as SessionDocument } });
  }

  async play(): Promise<void> {
    const { clock } = this.#world;
    this.#node = await this.#world.node();
    for (const line of this.#lines) {
      await clock.advance(Math.max(0, line.at - clock.now()));
      if (!isFrame(line)) await this.#mark(line);
      else if (!line.binary) await this.#open(line);
      else if (line.from !== 'service') await this.#frame(line);
    }
    await clock.advance(100);
  }

  played(): Played {
    const ours = (peers: readonly Peer[]) =>
      peers
        .flatMap(({ frames }) => frames)
        .filter((frame) => !RELAYED.includes(peekMessageType(frame)))
        .map((frame) => decodeMessage(frame, sha256Digest));
    const recorded = (line: Line) =>
      this.#lines
        .filter(isFrame)
        .filter(({ from, binary }) => from === 'service' && binary)
        .filter(({ to, channel }) =>
          line === 'control' ? channel === line : channel === 'data' && to === line,
        )
        .map(({ data }) => decodeMessage(data, sha256Digest));
    const [start] = this.#node.control.frames.map((bytes) => decodeMessage(bytes, sha256Digest));
    return {
      world: this.#world,
      node: this.#node,
      start: { recorded: this.#start, ours: parseStartSessionTask(start!.payload) },
      answers: this.#answers,
      relayed: this.#relayed,
      received: {
        client: this.#peers.client.flatMap(({ frames }) => frames),
        agent: this.#peers.agent.flatMap(({ frames }) => frames),
      },
      recorded: { client: recorded('client'), agent: recorded('agent'), control: recorded('control') },
      ours: {
        client: ours(this.#peers.client),
        agent: ours(this.#peers.agent),
        control: ours([this.#node.control]),
      },
      statuses: this.#world.events.flatMap((event) => (event.type === 'session' ? [event.status] : [])),
    };
  }

  async #mark(line: RecordedMark): Promise<void> {
    if (line.kind === 'ws-close' && line.channel === 'data-channel') {
      // Neither program says goodbye (PROTOCOL.md section 1.10).
      this.#connections[line.from as Side]?.cut();
      await this.#world.settle();
    } else if (line.kind === 'http' && line.from === 'agent' && line.op?.startsWith('POST')) {
      const path = this.#ours(line.op.slice('POST '.length));
      const { status, text, token } = await this.#node.createChannel(path);
      this.#agentToken = token;
      this.#answers.push({ op: 'POST', recorded: line.response, ours: text, status });
    } else if (line.kind === 'http' && line.op?.startsWith('AmazonSSM.') && line.from === 'client') {
      await this.#call(line.op.slice('AmazonSSM.'.length), line);
    }
  }

  async #call(op: string, { request, response }: RecordedMark): Promise<void> {
    // The recording made these fail on purpose.
    if ((response as Record<string, unknown>).__err !== undefined) return;
    const asked = op === 'StartSession' ? request! : { SessionId: this.#session.SessionId };
    const { status, body } = await this.#world.call(op, asked);
    this.#answers.push({ op, recorded: response, ours: body, status });
    if (op !== 'TerminateSession') this.#session = body as unknown as Started;
  }

  async #open({ from, data }: RecordedFrame): Promise<void> {
    const text = this.#ours(new TextDecoder().decode(data));
    const side = from as Side;
    const token = side === 'client' ? this.#session.TokenValue : this.#agentToken;
    const opening = text.replace(/"TokenValue":"[^"]*"/, () => `"TokenValue":"${token}"`);
    const socket =
      side === 'client'
        ? await this.#world.clock.runUntil(this.#world.transport.connect(this.#session.StreamUrl))
        : await this.#node.dialData(this.#session.SessionId);
    const peer = new Peer(socket, this.#world.clock);
    this.#peers[side].push(peer);
    this.#connections[side] = this.#world.transport.connections.at(-1)!;
    await peer.send(opening);
  }

  async #frame(line: RecordedFrame): Promise<void> {
    const side = line.from as Side;
    if (line.channel === 'control') {
      const frame = this.#renamed(line.data);
      if (frame) await this.#node.control.send(frame);
      return;
    }
    const sender = this.#peers[side].at(-1);
    if (!sender) return;
    if (line.to === 'service') {
      if (!sender.closed) await sender.send(this.#renamed(line.data)!);
      return;
    }
    const receiver = this.#peers[side === 'client' ? 'agent' : 'client'].at(-1);
    const [before, answers] = [receiver?.frames.length ?? 0, sender.frames.length];
    const late = sender.closed !== undefined;
    if (!late) await sender.send(line.data);
    const arrived = receiver?.frames.slice(before) ?? [];
    const answered = sender.frames.slice(answers).map((frame) => decodeMessage(frame, sha256Digest));
    let fate: Fate = 'lost';
    if (late) fate = 'late';
    else if (arrived.length === 1 && equal(arrived[0]!, line.data)) fate = 'passed';
    else if (!receiver || receiver.closed) fate = 'kept';
    else if (arrived.length === 0 && answered.map(({ messageType }) => messageType).join() === 'acknowledge')
      fate = 'answered';
    this.#relayed.push({ frame: line, fate });
  }

  /** A message for the service, with the session id of here; `undefined` for one about another session. */
  #renamed(frame: Uint8Array): Uint8Array | undefined {
    const message = decodeMessage(frame, sha256Digest);
    const text = new TextDecoder().decode(message.payload);
    if (!text.includes(this.#recordedId)) return undefined;
    const { messageType, messageId, createdDate, sequenceNumber, flags, payloadType } = message;
    const payload = new TextEncoder().encode(this.#ours(text));
    return encodeMessage(
      { messageType, messageId, createdDate, sequenceNumber, flags, payloadType, payload },
      sha256Digest,
    );
  }

  #ours(text: string): string {
    return text.replaceAll(this.#recordedId, this.#session.SessionId);
  }
}

/** What the service passes on and does not make, but for acknowledges that it repeats. */
const RELAYED: readonly string[] = ['input_stream_data', 'output_stream_data', 'acknowledge'];

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
