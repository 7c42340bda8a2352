import { statSync } from 'node:fs';
import { runSystemProgram, systemProgram } from './system-program.ts';

/** A user of the operating system. */
export interface LocalUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** Ids of all groups, the user's own (`gid`) among them. */
  readonly groups: readonly number[];
  readonly home: string;
}

/** CONTROL-PLANE.md section 3.4, injection, (d). */
const USER_NAME = /^[a-zA-Z_][a-zA-Z0-9_.-]{0,31}\$?$/;

export function isUserName(name: string): boolean {
  return USER_NAME.test(name);
}

/**
 * Looks a user up as the system does, in whatever database it has (`id`, `getent`): a file, LDAP, SSSD.
 *
 * @param name see {@link isUserName}
 * @throws {NodeError} `ERR_SYSTEM_PROGRAM`
 */
export async function findLocalUser(name: string): Promise<LocalUser | undefined> {
  const [uid, gid, groups] = await Promise.all([idOf('-u', name), idOf('-g', name), idOf('-G', name)]);
  if (uid === undefined || gid === undefined || groups === undefined) return undefined;
  const user = { name, uid: Number(uid), gid: Number(gid), groups: groups.split(' ').map(Number) };
  return { ...user, home: await homeOf(name, user.uid) };
}

async function idOf(option: string, name: string): Promise<string | undefined> {
  const { status, stdout } = await runSystemProgram('id', [option, name]);
  return status === 0 ? stdout.trim() : undefined;
}

/** AWS's agent takes it for granted that it is here. */
const HOMES = process.platform === 'darwin' ? '/Users' : '/home';

/** The folder that AWS's agent says, unless it is missing or somebody else's: then what the database says. */
async function homeOf(name: string, uid: number): Promise<string> {
  const usual = `${HOMES}/${name}`;
  if (isFolderOf(uid, usual) || systemProgram('getent') === undefined) return usual;
  const { stdout } = await runSystemProgram('getent', ['passwd', name]);
  return stdout.trim().split(':')[5] || usual;
}

function isFolderOf(uid: number, path: string): boolean {
  try {
    const stats = statSync(path);
    return stats.isDirectory() && stats.uid === uid;
  } catch {
    return false;
  }
}
