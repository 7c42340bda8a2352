import { RunAsError, runAs } from '../agent/run-as.ts';
import type { AgentSession } from '../agent/session.ts';
import { findLocalUser, isUserName, type LocalUser } from './local-user.ts';
import { ensureAdminUser, SUDOERS_FOLDER } from './ssm-user.ts';

/** Who the programs of sessions run as, when the preferences name nobody. */
export interface RunAsOptions {
  /**
   * The user `ssm-user`, made when missing, instead of the agent's own: what AWS's agent does. Without effect
   * when the agent does not run as root. Default false.
   */
  readonly ssmUser?: boolean;
  /** Where the rules for `sudo` go when `ssm-user` is made. Default `/etc/sudoers.d`. */
  readonly sudoersFolder?: string;
}

/**
 * The user that a session's program has to run as, by the rules of AWS's agent and with its words
 * (CONTROL-PLANE.md section 3.5).
 *
 * @param elevated whether the document's command is `runAsElevated`
 * @returns undefined for the agent's own
 * @throws {RunAsError} rather than fall back to a user with other rights
 * @throws {AgentError} `ERR_AGENT_START` for preferences of the wrong shape
 * @throws {NodeError} `ERR_SYSTEM_PROGRAM`
 */
export async function sessionUser(
  session: AgentSession,
  { ssmUser = false, sudoersFolder = SUDOERS_FOLDER }: RunAsOptions,
  elevated = false,
): Promise<LocalUser | undefined> {
  if (elevated) return undefined;
  const { enabled, user: name } = runAs(session);
  if (!enabled) {
    if (!ssmUser || !isRoot()) return undefined;
    return unprivileged(await ensureAdminUser('ssm-user', sudoersFolder));
  }
  if (name === '') throw new RunAsError('please set the RunAs default user');
  if (!isRoot()) throw new RunAsError('the agent must run as root to use RunAs');
  if (!isUserName(name)) throw new RunAsError(`${JSON.stringify(name)} is no name of a user`);
  const user = await findLocalUser(name);
  if (!user) throw new RunAsError(`failed to start pty since RunAs user ${name} does not exist`);
  return unprivileged(user);
}

export function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

function unprivileged(user: LocalUser): LocalUser {
  if (user.uid > 0 && user.gid > 0) return user;
  throw new RunAsError('invalid uid and gid');
}
