import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';

/** Why tests with other users are skipped; false when they can run. */
export const NOT_ROOT = process.geteuid?.() !== 0 || process.platform !== 'linux';

/** A name that nobody has. */
export function newName(): string {
  return `hawser-${randomBytes(6).toString('hex')}`;
}

export interface TestUser {
  readonly name: string;
  /** A group beside the user's own. */
  readonly group: string;
}

/** A user with a home, and in one more group. */
export function addUser(...options: readonly string[]): TestUser {
  const user = { name: newName(), group: newName() };
  run('groupadd', user.group);
  run('useradd', '-m', '-G', user.group, ...options, user.name);
  return user;
}

export function removeTestUser({ name, group }: TestUser): void {
  removeUser(name);
  run('groupdel', group);
}

/** The same, gone with the test. */
export function makeUser(...options: readonly string[]): TestUser {
  const user = addUser(...options);
  onTestFinished(() => removeTestUser(user));
  return user;
}

export function removeUser(name: string): void {
  try {
    run('userdel', '-r', name);
  } catch {
    if (hasUser(name)) throw new Error(`The user ${name} could not be removed.`); // it minds a home that is not its own
  }
}

export function hasUser(name: string): boolean {
  try {
    run('id', name);
    return true;
  } catch {
    return false;
  }
}

export function run(program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}
