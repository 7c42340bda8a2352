import { RunAsError } from '../agent/run-as.ts';
import type { Command } from './command.ts';
import type { LocalUser } from './local-user.ts';
import { isBusyBox, runSystemProgram, systemProgram } from './system-program.ts';

/**
 * The command that first becomes another user, with that user's groups and no others, and then the program, in the
 * same process. Node's own `uid` and `gid` would leave the groups out (`spawn`), or root's in (`node-pty`). For root
 * only.
 *
 * Every part is an argument of its own, in no shell's script.
 *
 * @throws {RunAsError} when this machine has no program for it
 */
export function asUser({ program, args, cwd, env }: Command, user: LocalUser): Command {
  const [changer, ...options] = changerTo(user);
  // `setpriv` keeps root's capabilities, and `chroot` is in the root folder, until what they start has started.
  const script = 'cd -- "$1" && shift && exec "$@"';
  return { cwd, env, program: changer!, args: [...options, SH, '-c', script, 'sh', cwd, program, ...args] };
}

/**
 * The same in a terminal, which is made the user's own first: `screen`, `gpg` and others open it by its name.
 *
 * @throws {RunAsError} when this machine has no program for it
 */
export function asUserInTerminal(command: Command, user: LocalUser): Command {
  const { program, args, ...where } = asUser(command, user);
  const [chown, tty] = [systemProgram('chown'), systemProgram('tty')];
  if (chown === undefined || tty === undefined) return { program, args, ...where };
  const script = '"$1" "$2" "$("$3")" 2>/dev/null; shift 3; exec "$@"';
  return {
    ...where,
    program: SH,
    args: ['-c', script, 'sh', chown, String(user.uid), tty, program, ...args],
  };
}

/** Whether the user can be in a folder. */
export async function mayEnter(user: LocalUser, folder: string): Promise<boolean> {
  const script = 'cd -- "$1" 2>/dev/null';
  const [changer, ...options] = changerTo(user);
  const args = [...options, SH, '-c', script, 'sh', folder];
  return (await runSystemProgram(changer!, args, changer)).status === 0;
}

const SH = '/bin/sh';

/** A program that starts another as the user, with what comes before that. */
function changerTo(user: LocalUser): readonly string[] {
  const { uid, gid, groups } = user;
  if (process.platform === 'linux') {
    const setpriv = systemProgram('setpriv', (path) => !isBusyBox(path));
    if (setpriv === undefined) throw missing(user, 'setpriv of util-linux');
    return [setpriv, `--reuid=${uid}`, `--regid=${gid}`, `--groups=${groups}`, '--'];
  }
  const chroot = systemProgram('chroot');
  if (chroot === undefined) throw missing(user, 'chroot');
  return [chroot, '-u', `${uid}`, '-g', `${gid}`, '-G', `${groups.slice(0, MAX_GROUPS)}`, '/'];
}

/** Of macOS. */
const MAX_GROUPS = 16;

function missing({ name }: LocalUser, program: string): RunAsError {
  return new RunAsError(`this machine has no ${program}, which it takes to become ${name}`);
}
