import type { PayloadFlag } from '../channel/constants.ts';
import type { ReadyEvent } from '../channel/events.ts';
import type { HandshakeExtensions } from '../channel/payload/handshake.ts';
import type { JsonObject } from '../channel/payload/json.ts';
import type { TerminalSize } from '../channel/payload/terminal.ts';

/**
 * What a managed node does in a session of one type. Registered by `sessionType`; called once for each
 * session, when its data channel is open.
 *
 * The session ends when the promise settles: resolved is `Success`, rejected is `Failed` with the error's
 * message shown to the client (the `output` of a {@link RunAsError}). Output written before is delivered first.
 */
export type SessionHandler = (session: AgentSession) => Promise<SessionResult>;

export interface SessionResult {
  /** Exit status of the command or shell, 0 to 255. Clients of hawser see it; AWS's plugin does not. */
  readonly exitCode?: number;
  /** A last word for people, shown by the client when the session is over. Default empty. */
  readonly output?: string;
}

/** The agent's end of one session. */
export interface AgentSession {
  readonly sessionId: string;
  /** For example `Standard_Stream`. */
  readonly sessionType: string;
  readonly documentName: string;
  /** The session document as its author wrote it. */
  readonly document: JsonObject;
  /** Values by parameter name: what the caller gave, else the document's default. */
  readonly parameters: JsonObject;
  /** `properties` of the document with the parameters put in. Shape as the author chose: check what you use. */
  readonly properties: unknown;
  /** `inputs` of the document (preferences) with the parameters put in. */
  readonly inputs: JsonObject;
  /** ARN of the caller. */
  readonly sessionOwner: string;
  /** Operating-system user from the caller's `SSMSessionRunAs` tag; empty without one. */
  readonly runAsUser: string;

  /**
   * Bytes as the client sent them, one item for each message. Ends when the session is cancelled. Can be
   * iterated once. While it is not, the client is held back after 64 KiB and the channel's receive buffer.
   */
  readonly input: AsyncIterable<Uint8Array>;
  /**
   * Sends output. Resolves when the channel has taken all of it: wait for that, and a slow client slows you
   * instead of filling memory. The bytes must not change until then.
   *
   * @throws {AgentError} `ERR_AGENT_SESSION_ENDED`
   */
  write(bytes: Uint8Array): Promise<void>;
  /** Like {@link write}, for the stream apart (`StdErr`). AWS's plugin prints it to its stdout. */
  writeStderr(bytes: Uint8Array): Promise<void>;
  /**
   * Tells the client the exit status on the data channel, after all output so far. For commands with
   * `separateOutputStream`; AWS's plugin prints it as `EXIT_CODE: n` (PROTOCOL.md section 10). The session's own
   * {@link SessionResult.exitCode} is apart from it.
   */
  sendExitCode(exitCode: number): Promise<void>;
  /**
   * Agrees with the client on session type and properties before anything else is sent (PROTOCOL.md section
   * 7). A shell that greets its user needs none: the client takes the first output as the sign that it may
   * send. A handler that waits for input without a word must ask for it, as must ports and
   * non-interactive commands.
   *
   * @param extensions what the handler can do beyond what AWS's agent can
   * @returns what the client said; `smux` where both ends have agreed on a version
   * @throws {HawserError} when the client refuses, does not answer within 15 seconds, or the session ends
   */
  handshake(extensions?: HandshakeExtensions): Promise<NonNullable<ReadyEvent['handshake']>>;
  /** Tells the client something of the session, in its place among the output: `ConnectToPortError`. */
  sendFlag(flag: PayloadFlag): void;
  /** The client's terminal; `undefined` until it has told. */
  readonly size: TerminalSize | undefined;
  /** @returns a function that stops the listening */
  onResize(listener: (size: TerminalSize) => void): () => void;
  /** `DisconnectToPort` and `ConnectToPortError`. `TerminateSession` cancels the session. */
  onFlag(listener: (flag: PayloadFlag) => void): () => void;
  /** Aborted when the session is over before the handler is: terminated, lost, or the agent stops. */
  readonly signal: AbortSignal;
}
