import type { CancelTimer } from '../base/clock.ts';
import { ownBytes } from '../base/own-bytes.ts';
import { MessageType } from '../channel/constants.ts';
import { decodeMessage, peekMessageType } from '../channel/decode.ts';
import { MessageError } from '../channel/error.ts';
import { parseSessionState } from '../channel/payload/session-state.ts';
import type { Socket } from '../core/socket.ts';
import { activitySubject, type BusMessage, type BusSignal, type Side, sideSubject } from './bus.ts';
import { CloseCode } from './close-code.ts';
import type { ServiceContext } from './context.ts';
import {
  acknowledgeFrame,
  channelClosedFrame,
  pausePublicationFrame,
  startPublicationFrame,
} from './frames.ts';
import { Heartbeat } from './heartbeat.ts';
import { Outflow } from './outflow.ts';
import type { RelayedSession } from './relay-memory.ts';
import type { RelayedStream } from './relayed-stream.ts';
import { isOver, type SessionRecord } from './session-record.ts';
import { ACTIVITY_INTERVAL } from './session-timer.ts';
import type { Sessions } from './sessions.ts';
import {
  acknowledgedNumber,
  isActivity,
  isTerminateFlag,
  type StreamType,
  sequenceNumberOf,
} from './stream-data.ts';

export interface RelayEndOptions {
  readonly sessionId: string;
  readonly side: Side;
  /** As recorded by `Sessions.openChannel`. */
  readonly channelId: string;
  readonly socket: Socket;
  readonly context: ServiceContext;
  readonly sessions: Sessions;
  /** What the relay of this process knows of the session. */
  readonly session: RelayedSession;
  /** The socket is gone. */
  readonly closed: () => void;
}

/**
 * One end of a session in the relay: the data channel of its client, or of its agent. Frames go from here over
 * the bus to the other end, which may be in another process, byte for byte as they came; what the two ends of the
 * bus know of each other they know from signals on it, and what becomes of the session from its record.
 *
 * Relaying is synchronous from socket to socket, and copies only what has to wait, or may have to be sent again.
 *
 * A message that the other end has acknowledged is not passed on when it comes again: it is acknowledged here, for
 * the real plugin would not do so. Each end looks at what comes from its socket and at what comes over the bus, since
 * its process may be the only one that has seen the acknowledge.
 */
export class RelayEnd {
  readonly #options: RelayEndOptions;
  readonly #context: ServiceContext;
  readonly #socket: Socket;
  readonly #outflow: Outflow;
  readonly #heartbeat: Heartbeat;
  /** Subject of the other side. */
  readonly #otherSubject: string;
  /** The stream messages that this side sends, and those that it receives. */
  readonly #streamType: StreamType;
  readonly #otherStreamType: StreamType;
  readonly #stream: RelayedStream;
  readonly #otherStream: RelayedStream;
  readonly #unsubscribe: () => void;
  readonly #unwatch: () => void;

  /** Channel id of the other end, while it is connected. */
  #peer: string | undefined;
  #peerIsHere = false;
  /** Acknowledges for the other end until it connects. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #malformed = 0;
  #highestSequence = -1;
  /** Stream data has come from this side. */
  #spoken = false;
  #activityAt = Number.NEGATIVE_INFINITY;
  #record: SessionRecord | undefined;
  /** Reports to the record follow one another. */
  #reports: Promise<unknown> = Promise.resolve();
  #pendingReports = 0;
  #cancelGrace: CancelTimer | undefined;
  #done = false;

  constructor(options: RelayEndOptions) {
    const { sessionId, side, channelId, socket, context, session } = options;
    const other = side === 'client' ? 'agent' : 'client';
    this.#options = options;
    this.#context = context;
    this.#socket = socket;
    this.#otherSubject = sideSubject(sessionId, other);
    this.#streamType = STREAM_TYPES[side];
    this.#otherStreamType = STREAM_TYPES[other];
    this.#stream = session.streams[side];
    this.#otherStream = session.streams[other];
    session.ends.add(channelId);
    this.#outflow = new Outflow(socket, context, {
      congested: () => this.#signal('pause'),
      clear: () => this.#signal('resume'),
      stalled: () => this.close(CloseCode.TryAgainLater, 'Nothing was read for too long.'),
    });
    this.#heartbeat = new Heartbeat(socket, context.clock, () =>
      this.close(CloseCode.PolicyViolation, 'Pings were not answered.'),
    );
    socket.handler = {
      message: (data) => this.handleMessage(data),
      pong: () => this.#heartbeat.heard(),
      drained: () => this.#outflow.drained(),
      closed: () => this.#closed(),
    };
    this.#unsubscribe = context.bus.subscribe(sideSubject(sessionId, side), (message) =>
      this.#fromBus(message),
    );
    this.#signal('opened');
    // The answer has come by now, unless the other end is in another process.
    if (this.#peer === undefined) {
      // The plugin says TerminateSession and is gone at once (PROTOCOL.md section 9): its last words must not wait for it.
      for (const frame of this.#otherStream.dueTo(channelId)) this.#outflow.relay(frame);
      this.#pausePublication();
    }
    this.#unwatch = context.store.sessions.watch(sessionId, (entry) => this.#recordChanged(entry?.value));
  }

  /** A message from the socket. Never throws, whatever it is. */
  handleMessage(data: Uint8Array | string): void {
    if (this.#done) return;
    this.#heartbeat.heard();
    const type = typeof data !== 'string' && data.length <= this.#context.limits.frame && peek(data);
    if (!type) this.#dropMalformed();
    else if (type === this.#streamType) this.#relayStream(data as Uint8Array);
    else if (type === MessageType.Acknowledge) this.#relayAcknowledge(data as Uint8Array);
    else if (type === MessageType.AgentSessionState && this.#options.side === 'agent') {
      this.#reportState(data as Uint8Array);
    }
    // Everything else is the service's to send, or of the other side.
  }

  /** Ends the connection; the session may go on. */
  close(code: number, reason: string): void {
    // A paused socket would not read the answer to its close frame.
    this.#read(true);
    this.#socket.close(code, reason);
    this.#closed();
  }

  /**
   * The service stops: tells of the end of the session, when it has ended, before the connection goes. Resolves once the
   * record says so.
   */
  async shutDown(): Promise<void> {
    const record = await this.#options.sessions.get(this.#options.sessionId);
    if (record && isOver(record) && !this.#done) this.#tellClosed(record);
    this.close(CloseCode.GoingAway, 'The service is shutting down.');
    await this.#reports;
  }

  #relayStream(frame: Uint8Array): void {
    if (!this.#spoken) this.#noteSpoken();
    const sequence = sequenceNumberOf(frame);
    if (this.#stream.isAcknowledged(sequence)) {
      // While the other end is away a real agent is paused, and an acknowledge would end that (PROTOCOL.md section 6).
      if (this.#peer !== undefined) this.#outflow.relay(this.#acknowledgeOf(frame, this.#streamType));
      return;
    }
    if (this.#peer !== undefined) this.#noteActivity(frame, sequence);
    if (this.#options.side === 'client' && isTerminateFlag(frame)) {
      this.#reportFrame((sessions, sessionId) => sessions.clientEnded(sessionId));
    }
    this.#stream.keep(sequence, frame, this.#peer !== undefined);
    if (this.#peer !== undefined) this.#publish(frame);
  }

  #relayAcknowledge(frame: Uint8Array): void {
    this.#note(frame, this.#otherStream, this.#otherStreamType);
    if (this.#peer !== undefined) {
      this.#publish(frame);
    } else if (this.#heldBytes + frame.length <= this.#context.limits.heldFrames) {
      this.#held.push(ownBytes(frame));
      this.#heldBytes += frame.length;
    }
  }

  /** A frame of the other end, which has seen that it is one. */
  #passOn(frame: Uint8Array): void {
    if (this.#peerIsHere) {
      this.#outflow.relay(frame);
    } else if (peek(frame) === MessageType.Acknowledge) {
      this.#note(frame, this.#stream, this.#streamType);
      this.#outflow.relay(frame);
    } else if (this.#otherStream.isAcknowledged(sequenceNumberOf(frame))) {
      this.#publish(this.#acknowledgeOf(frame, this.#otherStreamType));
    } else {
      this.#otherStream.pass(sequenceNumberOf(frame));
      this.#outflow.relay(frame);
    }
  }

  #note(acknowledge: Uint8Array, stream: RelayedStream, streamType: StreamType): void {
    const sequence = acknowledgedNumber(acknowledge, streamType);
    if (sequence !== undefined) stream.acknowledge(sequence);
  }

  #acknowledgeOf(frame: Uint8Array, streamType: StreamType): Uint8Array {
    return acknowledgeFrame(frame, streamType, this.#context);
  }

  /** Agents say `Connected` once; what was under way in a connection that broke says it no more. Their output does. */
  #noteSpoken(): void {
    this.#spoken = true;
    if (this.#options.side === 'agent') {
      this.#reportFrame((sessions, sessionId) => sessions.agentReported(sessionId, 'Connected'));
    }
  }

  #noteActivity(frame: Uint8Array, sequence: number): void {
    if (sequence <= this.#highestSequence) return;
    this.#highestSequence = sequence;
    if (!isActivity(frame)) return;
    const now = this.#context.clock.now();
    if (now < this.#activityAt + ACTIVITY_INTERVAL) return;
    this.#activityAt = now;
    this.#context.bus.publish(activitySubject(this.#options.sessionId), { type: 'activity', at: now });
  }

  #reportState(frame: Uint8Array): void {
    try {
      const { sessionState } = parseSessionState(decodeMessage(frame, this.#context.digest).payload);
      this.#reportFrame((sessions, sessionId) => sessions.agentReported(sessionId, sessionState));
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      this.#dropMalformed();
    }
  }

  #dropMalformed(): void {
    this.#malformed++;
    if (this.#malformed < this.#context.limits.malformedFrames) return;
    this.close(CloseCode.ProtocolError, 'Too many messages were unreadable.');
  }

  #fromBus(message: BusMessage): void {
    if (message instanceof Uint8Array) this.#passOn(message);
    else this.#handleSignal(message);
  }

  #handleSignal(signal: BusSignal): void {
    if (signal.type === 'activity') return;
    const { type, channelId } = signal;
    if (type === 'opened') {
      // A new end has an empty socket, whatever the one before it asked for.
      this.#read(true);
      this.#meet(channelId);
      this.#signal('present');
      if (this.#outflow.congested) this.#signal('pause');
      this.#peerConnected(channelId);
    } else if (type === 'present') {
      this.#meet(channelId);
      this.#peerConnected(channelId);
    } else if (channelId !== this.#peer) {
      return; // of an end that has been replaced
    } else if (type === 'closed') {
      this.#peer = undefined;
      this.#read(true);
      this.#pausePublication();
      this.#settle();
    } else {
      this.#read(type === 'resume');
    }
  }

  #read(on: boolean): void {
    this.#heartbeat.hold(!on);
    if (on) this.#socket.resume?.();
    else this.#socket.pause?.();
  }

  #meet(channelId: string): void {
    this.#peer = channelId;
    this.#peerIsHere = this.#options.session.ends.has(channelId);
  }

  #peerConnected(channelId: string): void {
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    for (const frame of held) this.#publish(frame);
    for (const frame of this.#stream.dueTo(channelId)) this.#publish(frame);
    this.#outflow.send(startPublicationFrame(this.#context));
  }

  #recordChanged(record: SessionRecord | undefined): void {
    if (!record || record[this.#options.side].channel !== this.#options.channelId) {
      this.close(CloseCode.Normal, 'Another connection took the place of this one.');
      return;
    }
    this.#record = record;
    this.#settle();
  }

  /** Does this end's part when the session ends. */
  #settle(): void {
    const record = this.#record;
    if (this.#done || !record || !(record.cancelled || isOver(record))) return;
    const { side } = this.#options;
    // Both: the signal comes behind the last frame, and the record knows of an agent that has not signalled yet.
    const agentGone = this.#peer === undefined && record.agent.channel === undefined;
    if (side === 'client' && (record.cancelled || agentGone)) {
      this.#tellClosed(record);
      this.close(CloseCode.Normal, '');
    } else if (this.#cancelGrace === undefined) {
      if (side === 'agent' && record.cancelled) this.#tellClosed(record);
      // The agent closes its own channel, and the client's follows.
      this.#cancelGrace = this.#context.clock.schedule(this.#context.timers.terminateGrace, () => {
        if (side === 'client' && this.#record) this.#tellClosed(this.#record);
        this.close(CloseCode.Normal, '');
      });
    }
  }

  #closed(): void {
    if (this.#done) return;
    this.#done = true;
    this.#options.session.ends.delete(this.#options.channelId);
    this.#unwatch();
    this.#unsubscribe();
    this.#outflow.stop();
    this.#heartbeat.stop();
    this.#cancelGrace?.();
    this.#held = [];
    this.#signal('closed');
    const { side, channelId, closed } = this.#options;
    this.#report((sessions, sessionId) => sessions.channelClosed(sessionId, side, channelId));
    closed();
  }

  #tellClosed(record: SessionRecord): void {
    this.#outflow.send(channelClosedFrame(record, this.#context));
  }

  #pausePublication(): void {
    this.#outflow.send(pausePublicationFrame(this.#context));
  }

  #publish(frame: Uint8Array): void {
    this.#context.bus.publish(this.#otherSubject, frame);
  }

  #signal(type: Exclude<BusSignal['type'], 'activity'>): void {
    this.#context.bus.publish(this.#otherSubject, { type, channelId: this.#options.channelId });
  }

  /** A report that a peer asked for by a frame: a flood of them is not taken. */
  #reportFrame(report: (sessions: Sessions, sessionId: string) => Promise<void>): void {
    if (this.#pendingReports < MAX_PENDING_REPORTS) this.#report(report);
  }

  #report(report: (sessions: Sessions, sessionId: string) => Promise<void>): void {
    const { sessions, sessionId } = this.#options;
    this.#pendingReports++;
    this.#reports = this.#reports
      .then(() => report(sessions, sessionId))
      .catch((error: unknown) => this.#context.report(error))
      .finally(() => this.#pendingReports--);
  }
}

const STREAM_TYPES: Readonly<Record<Side, StreamType>> = {
  client: MessageType.InputStreamData,
  agent: MessageType.OutputStreamData,
};

/** A session has three of them to make, repetitions aside. */
const MAX_PENDING_REPORTS = 8;

/** The message type, or nothing for a frame that is no message. */
function peek(frame: Uint8Array): string | undefined {
  try {
    return peekMessageType(frame);
  } catch (error) {
    if (error instanceof MessageError) return undefined;
    throw error;
  }
}
