import { toBoolean } from './boolean.ts';
import { AgentError } from './error.ts';
import type { AgentSession } from './session.ts';

/** What the preferences and the caller's tag say of the operating-system user (CONTROL-PLANE.md section 3.5). */
export interface RunAs {
  readonly enabled: boolean;
  /** Empty when nobody has named one. */
  readonly user: string;
}

/**
 * The caller's tag wins over the document's `runAsDefaultUser`.
 *
 * @throws {AgentError} `ERR_AGENT_START` for preferences of the wrong shape
 */
export function runAs({ inputs, runAsUser }: Pick<AgentSession, 'inputs' | 'runAsUser'>): RunAs {
  const enabled = toBoolean('runAsEnabled', inputs.runAsEnabled);
  const { runAsDefaultUser = '' } = inputs;
  if (typeof runAsDefaultUser !== 'string') {
    throw new AgentError('ERR_AGENT_START', 'runAsDefaultUser of the session document must be text.');
  }
  return { enabled, user: runAsUser.trim() || runAsDefaultUser.trim() };
}

/** The program of a session cannot run as the operating-system user that it was to run as. */
export class RunAsError extends AgentError {
  /** @param why in the words of AWS's agent, where it has any */
  constructor(why: string, options?: ErrorOptions) {
    super('ERR_AGENT_RUN_AS', `Unable to start command: ${why}`, options);
  }

  /** For the client, in the form of AWS's agent: scripts look for it (PROTOCOL.md section 5). */
  get output(): string {
    return `\n----------ERROR-------\n${this.message}\n`;
  }
}
