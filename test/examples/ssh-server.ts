import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';

/** What the pattern's group matches in what a process says. */
export async function said(process: ChildProcess, pattern: RegExp): Promise<string> {
  let text = '';
  for await (const part of process.stderr!.iterator({ destroyOnReturn: false })) {
    text += part;
    const match = pattern.exec(text);
    if (match) return match[1]!;
  }
  throw new Error(`The process ended: ${text}`);
}

/** An OpenSSH server of this user's on loopback, with keys of its own. */
export async function sshServer() {
  const folder = mkdtempSync(join(tmpdir(), 'hawser-ssh-'));
  const key = (name: string) => join(folder, name);
  for (const name of ['host', 'user']) {
    await promisify(execFile)('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key(name)]);
  }
  writeFileSync(key('authorized_keys'), readFileSync(key('user.pub')), { mode: 0o600 });
  const port = await freePort();
  const settings = {
    ListenAddress: '127.0.0.1',
    Port: port,
    HostKey: key('host'),
    AuthorizedKeysFile: key('authorized_keys'),
    PidFile: 'none',
    StrictModes: 'no',
    PermitRootLogin: 'prohibit-password',
    PasswordAuthentication: 'no',
    UsePAM: 'no',
    Subsystem: 'sftp internal-sftp',
  };
  writeFileSync(
    key('config'),
    Object.entries(settings)
      .map(([name, value]) => `${name} ${value}\n`)
      .join(''),
  );
  if (userInfo().uid === 0) await promisify(execFile)('mkdir', ['-p', '/run/sshd']);
  const server = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', key('config')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  onTestFinished(async () => {
    const exit = once(server, 'exit');
    server.kill();
    await exit;
    rmSync(folder, { recursive: true });
  });
  await said(server, /(Server listening)/);
  server.stderr!.resume();
  const options = ['-i', key('user'), '-F', 'none'];
  for (const option of ['StrictHostKeyChecking=no', `UserKnownHostsFile=${key('known')}`, 'BatchMode=yes'])
    options.push('-o', option);
  return { port, folder, options };
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
