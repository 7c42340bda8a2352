import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What can run in a process of its own, by name: each says something of itself when it is up, and runs until it is killed. */
export type Roles = Readonly<Record<string, (told: string) => Promise<string>>>;

/**
 * Runs this very program again as one of the roles: service, agent and relay have their own process each, as they do in life, for
 * hawser and for the yardstick alike.
 */
export async function startRole(
  role: string,
  told = '',
): Promise<{ readonly said: string; stop(): Promise<void> }> {
  const child: ChildProcess = fork(fileURLToPath(import.meta.url), [ROLE, role, told], { execArgv: [] });
  const [said] = (await once(child, 'message')) as [string];
  return {
    said,
    async stop() {
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    },
  };
}

/** In a process that was started for a role: plays it. @returns whether it was */
export async function playRole(roles: Roles): Promise<boolean> {
  const [, , mark, role, told] = process.argv;
  if (mark !== ROLE) return false;
  const said = await roles[role!]!(told!);
  process.send!(said);
  process.on('disconnect', () => process.exit());
  return true;
}

const ROLE = '--role';
