/**
 * Carries a session's frames to whichever relay holds the other end, and a few signals beside them. One process
 * uses {@link memoryBus}; several relays share an engine with subjects (ARCHITECTURE.md, "Past one machine").
 *
 * Messages of one publisher on one subject arrive in order, at most once; without a subscriber they are lost.
 * Frames that are lost are sent again by the ends of the data channel.
 */
export interface Bus {
  /** Never waits, never throws. The bytes belong to the bus from then on. */
  publish(subject: string, message: BusMessage): void;
  /** The answer ends the subscription. */
  subscribe(subject: string, listener: (message: BusMessage) => void): () => void;
}

/** A frame of a channel as it goes over the wire, or a signal. */
export type BusMessage = Uint8Array | BusSignal;

/** Plain JSON. */
export type BusSignal =
  /** A data channel opened on the other side of the session. To be answered with `present`. */
  | { readonly type: 'opened'; readonly channelId: string }
  | { readonly type: 'present'; readonly channelId: string }
  | { readonly type: 'closed'; readonly channelId: string }
  /** The socket of this channel is full: read no more from yours. */
  | { readonly type: 'pause'; readonly channelId: string }
  | { readonly type: 'resume'; readonly channelId: string }
  /** New stream data passed, which resets the idle timer. Sent at most once a second. */
  | { readonly type: 'activity'; readonly at: number };

/** Which end of a session. */
export type Side = 'client' | 'agent';

/** What is meant for a node's control channel. */
export function nodeSubject(id: string): string {
  return `node.${id}`;
}

/** What is meant for one end of a session. */
export function sideSubject(sessionId: string, side: Side): string {
  return `session.${sessionId}.${side}`;
}

/** What is meant for the session's timer. */
export function activitySubject(sessionId: string): string {
  return `session.${sessionId}.activity`;
}
