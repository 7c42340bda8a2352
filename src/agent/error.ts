import { HawserError } from '../base/error.ts';

export type AgentErrorCode =
  /** The message gateway refused a request, and would refuse it again: credentials, instance id, endpoint. */
  | 'ERR_AGENT_REFUSED'
  /** The message gateway answered with something else than it should. Worth another try. */
  | 'ERR_AGENT_GATEWAY'
  /** The service says that this session is over. */
  | 'ERR_AGENT_SESSION_TERMINATED'
  /** No answer in time. */
  | 'ERR_AGENT_TIMEOUT'
  /** The connection went quiet, or was closed. */
  | 'ERR_AGENT_DISCONNECTED'
  /** The service sent a start message that cannot be read, or asks for what this agent cannot do. */
  | 'ERR_AGENT_START'
  /** The program of a session cannot run as the operating-system user that it was to run as. */
  | 'ERR_AGENT_RUN_AS'
  /** The session ended while its handler was still reading or writing. */
  | 'ERR_AGENT_SESSION_ENDED'
  /** `stop()` was called. */
  | 'ERR_AGENT_STOPPED';

/** What goes wrong on a managed node. */
export class AgentError extends HawserError {
  declare readonly code: AgentErrorCode;

  constructor(code: AgentErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}
