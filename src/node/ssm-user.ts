import { chmodSync, linkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RunAsError } from '../agent/run-as.ts';
import { findLocalUser, type LocalUser } from './local-user.ts';
import { runSystemProgram } from './system-program.ts';

/** Where AWS's agent puts its rules. */
export const SUDOERS_FOLDER = '/etc/sudoers.d';

/**
 * The user that sessions run as when the preferences name none. Made when missing, with leave to do everything by
 * `sudo`, as AWS's agent does (CONTROL-PLANE.md section 3.5, rule 1). For root only.
 *
 * @throws {RunAsError} when it cannot be made
 * @throws {NodeError} `ERR_SYSTEM_PROGRAM`
 */
export async function ensureAdminUser(name: string, sudoersFolder: string): Promise<LocalUser> {
  const found = await findLocalUser(name);
  if (found) return found;
  const task = making.then(() => findOrMake(name, sudoersFolder));
  making = task.then(nothing, nothing);
  return task;
}

/** Two sessions that begin together must not both make it. */
let making: Promise<void> = Promise.resolve();

function nothing(): void {}

async function findOrMake(name: string, sudoersFolder: string): Promise<LocalUser> {
  const found = await findLocalUser(name);
  if (found) return found;
  const { stderr } = await runSystemProgram('useradd', ['-m', name]);
  const made = await findLocalUser(name);
  if (!made) throw new RunAsError(`the user ${name} could not be created: ${stderr.trim()}`);
  writeRules(name, join(sudoersFolder, 'ssm-agent-users'));
  return made;
}

function writeRules(name: string, file: string): void {
  // sudo reads no file with a dot in its name; half a rule, where it reads it, would keep everybody from sudo.
  const draft = `${file}.new`;
  try {
    writeFileSync(draft, `# User rules for ${name}\n${name} ALL=(ALL) NOPASSWD:ALL\n`);
    linkSync(draft, file);
  } catch {
    // There already, which is respected; or no sudo here, or no room, and the session does without it.
  }
  rmSync(draft, { force: true });
  try {
    chmodSync(file, MODE); // else sudo would not read it
  } catch {
    // Not there.
  }
}

const MODE = 0o440;
