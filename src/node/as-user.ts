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
export function asUser(command: Command, user: LocalUser): Command {
  return wrapped(command, changer(user));
}

/**
 * The same in a terminal, which is made the user's own first: `screen`, `gpg` and others open it by its name.
 *
 * @throws {RunAsError} when this machine has no program for it
 */
export function asUserInTerminal(command: Command, user: LocalUser): Command {
  const [chown, tty] = [systemProgram('chown'), systemProgram('tty')];
  if (chown === undefined || tty === undefined) return asUser(command, user);
  // Where it has no name here, `tty` prints words and fails.
  const own = '"$3" >/dev/null && "$1" "$2" "$("$3")" 2>/dev/null; shift 3; ';
  return wrapped(command, changer(user, own, [chown, `${user.uid}`, tty]));
}

/** Whether the user can be in a folder. */
export async function mayEnter(user: LocalUser, folder: string): Promise<boolean> {
  const [program, ...args] = changer(user);
  const script = 'cd -- "$1" 2>/dev/null';
  return (await runSystemProgram(program!, [...args, SH, '-c', script, 'sh', folder], program)).status === 0;
}

const SH = '/bin/sh';

function wrapped({ program, args, cwd, env }: Command, [first, ...rest]: readonly string[]): Command {
  // `setpriv` keeps root's capabilities, and `chroot` is in the root folder, until what they start has started.
  const script = 'cd -- "$1" && shift && exec "$@"';
  return { cwd, env, program: first!, args: [...rest, SH, '-c', script, 'sh', cwd, program, ...args] };
}

/**
 * A program that starts another as the user, with what comes before that.
 *
 * `node-pty` lets every program that is started inherit the terminals of all sessions: whoever holds one can type
 * into it, as another user, perhaps as root. So they are closed, before anything runs as the user. It takes `bash`:
 * other shells cannot name a descriptor above 9.
 *
 * @param script run by root before, with `args`, which it has to shift away
 */
function changer(user: LocalUser, script = '', args: readonly string[] = []): readonly string[] {
  const bash = systemProgram('bash');
  if (bash === undefined) throw missing(user, 'bash');
  // -p: nothing from the environment.
  return [bash, '-p', '-c', `${script}${CLOSE_ALL}exec "$@"`, 'bash', ...args, ...setUser(user)];
}

const CLOSE_ALL = `
  [ -d /dev/fd/. ] || { echo 'There is no /dev/fd, which it takes to become another user.' >&2; exit 126; }
  for fd in /dev/fd/*; do fd=\${fd##*/}; [ "$fd" -gt 2 ] && eval "exec $fd>&-"; done
`;

function setUser(user: LocalUser): readonly string[] {
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
