import type { HawserError } from '../base/error.ts';
import type { EncryptionContext } from '../crypto/kms/key-service.ts';
import type { PayloadFlag } from './constants.ts';
import type { MessageError } from './error.ts';
import type { ChannelClosed } from './payload/channel-closed.ts';
import type { TerminalSize } from './payload/terminal.ts';

/** What a {@link DataChannel} tells its driver, in order, through `pollEvent`. */
export type ChannelEvent =
  /** Input may flow: the handshake is complete, or the peer spoke without one. Once, before any `data`. */
  | ReadyEvent
  /** Stream bytes: `Output` (keystrokes at the agent, terminal output at the client), `StdErr`, `Error`. */
  | { readonly type: 'data'; readonly payloadType: number; readonly payload: Uint8Array }
  /** Agent: the client's terminal changed. */
  | { readonly type: 'size'; readonly size: TerminalSize }
  | { readonly type: 'flag'; readonly flag: PayloadFlag }
  /** Client: exit status of a command (`ExitCode` payload). */
  | { readonly type: 'exitCode'; readonly exitCode: number }
  | DataKeyEvent
  /** `channel_closed` came: nothing more will be sent or received. */
  | { readonly type: 'closed'; readonly message: ChannelClosed }
  /** The handshake cannot succeed, or the encryption is broken; the session must end. */
  | { readonly type: 'failed'; readonly error: HawserError }
  /** A frame was unreadable or meant for somebody else, and was dropped. For counters and logs. */
  | { readonly type: 'dropped'; readonly error: MessageError };

export interface ReadyEvent {
  readonly type: 'ready';
  /** From the handshake; undefined when the agent did none (plain shells, PROTOCOL.md section 1.2). */
  readonly handshake?: {
    readonly agentVersion?: string;
    readonly clientVersion?: string;
    readonly sessionType: string;
    readonly properties: unknown;
    readonly customerMessage: string;
    /** Whether output and input are encrypted with a data key of AWS KMS. */
    readonly encrypted: boolean;
    /** The version of smux that both ends, being hawser's, have agreed on. */
    readonly smux?: number;
    /** Whether they have agreed that the exit status of a shell comes as an ExitCode payload. */
    readonly exitCode?: boolean;
  };
}

/** Answer with `handleDataKey` or `handleDataKeyError`. */
export type DataKeyEvent =
  /** Client: a data key is needed. */
  | { readonly type: 'generateDataKey'; readonly keyId: string; readonly context: EncryptionContext }
  /** Agent: the client's data key is to be decrypted. */
  | {
      readonly type: 'decryptDataKey';
      readonly keyId: string;
      readonly context: EncryptionContext;
      readonly ciphertext: Uint8Array;
    };
