import type { HawserError } from '../base/error.ts';
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
  /** `channel_closed` came: nothing more will be sent or received. */
  | { readonly type: 'closed'; readonly message: ChannelClosed }
  /** The handshake cannot succeed; the session must end. */
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
    /** The version of smux that both ends, being hawser's, have agreed on. */
    readonly smux?: number;
  };
}
