import { utf8 } from '../src/base/encoding.ts';
import { MessageType } from '../src/channel/constants.ts';
import { encodeMessage } from '../src/channel/encode.ts';
import type { Dice } from './dice.ts';
import { quickDigest } from './digest.ts';
import type { Schedule } from './schedule.ts';

export type Side = 'client' | 'agent';

export function otherSide(side: Side): Side {
  return side === 'client' ? 'agent' : 'client';
}

export const FrameEvent = { Sent: 1, FromRelay: 2, Arrived: 3 } as const;
export type FrameEvent = (typeof FrameEvent)[keyof typeof FrameEvent];

/** What the network does to frames while it is ill. Times in milliseconds, chances per frame. */
export interface Conditions {
  /** One way from end to end; half of it to the relay, half from there. */
  readonly latency: number;
  /** Up to so much more, drawn for each frame. */
  readonly jitter: number;
  /** Whether jitter keeps the order, as TCP does. */
  readonly ordered: boolean;
  readonly drop: number;
  readonly duplicate: number;
  readonly corrupt: number;
  /** Bytes per millisecond of each socket. */
  readonly bandwidth: number;
  /** Bytes that the relay keeps for an end that is away. */
  readonly relayHold: number;
  /** Whether the relay sends pause_publication and start_publication when the other end goes and comes. */
  readonly publication: boolean;
}

export interface NetworkEvents {
  /** A frame has come to `side`. */
  frame(side: Side, frame: Uint8Array): void;
  /** The socket of `side` opened, or is gone, or takes more after a backlog. */
  changed(side: Side): void;
  /** Called for all that happens to frames, for the trace. */
  trace(what: FrameEvent, side: Side, frame: Uint8Array): void;
}

/** Whether this very frame is lost. */
export type Loss = (from: Side, frame: Uint8Array) => boolean;

/**
 * Two sockets and the relay between them, all as unreliable as the conditions say until {@link heal}. The
 * sockets of the two ends come and go independently; what is on its way to or from one when it goes is lost.
 *
 * Corruption spares SequenceNumber, Flags and PayloadType: no digest covers them (PROTOCOL.md section 2), so no
 * receiver could tell.
 */
export class Network {
  readonly #schedule: Schedule;
  readonly #dice: Dice;
  readonly #conditions: Conditions;
  readonly #events: NetworkEvents;
  readonly #sockets: Record<Side, SimulatedSocket> = { client: newSocket(), agent: newSocket() };
  readonly #lose: Loss;
  #ill = true;

  constructor(
    schedule: Schedule,
    dice: Dice,
    conditions: Conditions,
    events: NetworkEvents,
    lose: Loss = () => false,
  ) {
    this.#schedule = schedule;
    this.#dice = dice;
    this.#conditions = conditions;
    this.#events = events;
    this.#lose = lose;
  }

  /** From now on every frame arrives, once, unchanged and in order. */
  heal(): void {
    this.#ill = false;
  }

  connected(side: Side): boolean {
    return this.#sockets[side].connected;
  }

  /** Milliseconds until the socket has less than `bytes` to send; 0 when it has. */
  backlog(side: Side, bytes: number): number {
    const { busyUntil } = this.#sockets[side];
    return Math.max(0, busyUntil - this.#schedule.now - bytes / this.#conditions.bandwidth);
  }

  connect(side: Side): void {
    const socket = this.#sockets[side];
    if (socket.connected) return;
    socket.connected = true;
    socket.busyUntil = this.#schedule.now;
    this.#events.changed(side);
    const held = socket.held;
    socket.held = [];
    socket.heldBytes = 0;
    for (const frame of held) this.#deliver(side, frame);
    if (!this.#conditions.publication) return;
    this.#publish(side, this.connected(otherSide(side)));
    this.#publish(otherSide(side), true);
  }

  disconnect(side: Side): void {
    const socket = this.#sockets[side];
    if (!socket.connected) return;
    socket.connected = false;
    socket.generation++;
    this.#events.changed(side);
    if (this.#conditions.publication) this.#publish(otherSide(side), false);
  }

  send(from: Side, frame: Uint8Array): void {
    const socket = this.#sockets[from];
    socket.busyUntil =
      Math.max(socket.busyUntil, this.#schedule.now) + frame.length / this.#conditions.bandwidth;
    this.#events.trace(FrameEvent.Sent, from, frame);
    if (this.#lose(from, frame)) return;
    if (!this.#ill) {
      this.#toRelay(from, frame);
      return;
    }
    const { drop, duplicate, corrupt } = this.#conditions;
    if (this.#dice.chance(drop)) return;
    this.#toRelay(from, this.#dice.chance(corrupt) ? this.#corrupted(frame) : frame);
    if (this.#dice.chance(duplicate)) this.#toRelay(from, frame);
  }

  /** A frame from the relay itself. */
  sendFromRelay(to: Side, frame: Uint8Array): void {
    this.#events.trace(FrameEvent.FromRelay, to, frame);
    this.#deliver(to, frame, true);
  }

  #toRelay(from: Side, frame: Uint8Array): void {
    const socket = this.#sockets[from];
    const { generation } = socket;
    const arrival = this.#arrival(socket.busyUntil, socket.lastAtRelay);
    socket.lastAtRelay = Math.max(socket.lastAtRelay, arrival);
    this.#schedule.at(arrival, () => {
      if (socket.generation === generation) this.#relay(otherSide(from), frame);
    });
  }

  #relay(to: Side, frame: Uint8Array): void {
    const socket = this.#sockets[to];
    if (socket.connected) this.#deliver(to, frame);
    else if (socket.heldBytes + frame.length <= this.#conditions.relayHold) {
      socket.held.push(frame);
      socket.heldBytes += frame.length;
    }
  }

  /** @param inOrder not before anything else that is on its way */
  #deliver(to: Side, frame: Uint8Array, inOrder = false): void {
    const socket = this.#sockets[to];
    const { generation } = socket;
    if (!socket.connected) return;
    let arrival = this.#arrival(this.#schedule.now, socket.lastAtEnd);
    if (inOrder) arrival = Math.max(arrival, socket.lastAtEnd);
    socket.lastAtEnd = Math.max(socket.lastAtEnd, arrival);
    this.#schedule.at(arrival, () => {
      if (socket.generation !== generation) return;
      this.#events.trace(FrameEvent.Arrived, to, frame);
      this.#events.frame(to, frame);
    });
  }

  /** When one hop that begins at `start` ends. */
  #arrival(start: number, last: number): number {
    const { latency, jitter, ordered } = this.#conditions;
    const delay = (latency + (this.#ill ? jitter * this.#dice.fraction() : 0)) / 2;
    return ordered || !this.#ill ? Math.max(start + delay, last) : start + delay;
  }

  #publish(to: Side, start: boolean): void {
    if (this.connected(to)) this.sendFromRelay(to, start ? START_PUBLICATION : PAUSE_PUBLICATION);
  }

  #corrupted(frame: Uint8Array): Uint8Array {
    if (this.#dice.chance(0.2)) return frame.slice(0, this.#dice.whole(0, frame.length - 1));
    const changed = frame.slice();
    const at = this.#dice.pick([
      this.#dice.whole(0, 47),
      this.#dice.whole(64, 111),
      this.#dice.whole(116, frame.length - 1),
    ]);
    changed[at]! ^= this.#dice.whole(1, 255);
    return changed;
  }
}

interface SimulatedSocket {
  connected: boolean;
  /** Counts the disconnects: a frame of an earlier count belongs to a connection that is gone. */
  generation: number;
  busyUntil: number;
  lastAtRelay: number;
  lastAtEnd: number;
  held: Uint8Array[];
  heldBytes: number;
}

function newSocket(): SimulatedSocket {
  return {
    connected: false,
    generation: 0,
    busyUntil: 0,
    lastAtRelay: 0,
    lastAtEnd: 0,
    held: [],
    heldBytes: 0,
  };
}

/** A message of the service's own. */
export function relayMessage(messageType: string, payload: Uint8Array): Uint8Array {
  const messageId = '00000000-0000-4000-8000-000000000000';
  return encodeMessage({ messageType, messageId, createdDate: 1, flags: 3, payload }, quickDigest);
}

const START_PUBLICATION = relayMessage(MessageType.StartPublication, utf8('{}'));
const PAUSE_PUBLICATION = relayMessage(MessageType.PausePublication, utf8('{}'));
