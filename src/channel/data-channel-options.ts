import type { AesGcm } from '../crypto/aes-gcm.ts';
import type { PayloadDigest } from '../crypto/digest.ts';
import type { HandshakeExtensions } from './payload/handshake.ts';

export interface DataChannelOptions {
  readonly role: 'client' | 'agent';
  readonly sessionId: string;
  readonly digest: PayloadDigest;
  /** A fresh UUID for each message. */
  readonly uuid: () => string;
  /**
   * Bytes of stream data per message, 1 to 524,288. Default 1,024, as both real programs, or 32,768 where the
   * service says that it takes them; a client's, in port sessions only. A client tries sizes above 1,024 before it
   * uses them, and keeps to 1,024 when the connection closes on the trial.
   */
  readonly payloadSize?: number;
  /** Client: what it can do beyond what AWS's can. Default nothing. */
  readonly extensions?: HandshakeExtensions;
  /**
   * Bytes of frames that may be unacknowledged; the last one may reach over the edge. Default 1 MiB. Frames that
   * have been sent four times no longer count, up to as many bytes again (64 KiB at least).
   */
  readonly sendWindow?: number;
  /** Bytes that {@link DataChannel.send} takes ahead of the window. Default 256 KiB. */
  readonly sendQueue?: number;
  /** Bytes that may wait to be polled before acknowledges are held back. Default 1 MiB; never passed by more than four times and one message. */
  readonly receiveBuffer?: number;
  /** What it takes to encrypt with AWS KMS. Default: a session that must be encrypted fails. */
  readonly encryption?: ChannelEncryption;
  /** Client: a session in the clear fails. Default false. */
  readonly requireEncryption?: boolean;
}

export interface ChannelEncryption {
  readonly aesGcm: AesGcm;
  /** For nonces and challenges. */
  readonly randomBytes: (length: number) => Uint8Array;
  /**
   * Client: `Target` of StartSession. Agent: its own id. They must be equal (PROTOCOL.md section 8). A client that does
   * not know it cannot encrypt.
   */
  readonly targetId: string | undefined;
  /** Something was encrypted or decrypted that took its time: poll. Never called within a call of the channel. */
  readonly wake: () => void;
}

/** Figures of a channel, for metrics and tests. */
export interface ChannelStats {
  /** Smoothed, in milliseconds. */
  readonly roundTripTime: number;
  readonly retransmissions: number;
  /** Frames that could not be read or were not for this end. */
  readonly droppedFrames: number;
  /** Bytes taken by `send` that have no sequence number yet. */
  readonly queuedBytes: number;
  /** Bytes of the frames that wait for their acknowledge. */
  readonly unacknowledgedBytes: number;
  /** Received bytes that wait: to be polled, or for an earlier message. */
  readonly receivedBytes: number;
}
