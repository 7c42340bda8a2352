import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { bound, connectTo, destination, portWorld, readAll, sha256 } from '../node/port-world.ts';
import { environmentOf, ROOT, start } from './run.ts';

const TARGET = 'mi-0123456789abcdef0';

test('forward leads a local port to the node', async () => {
  const env = await environment();
  const port = await destination((socket) => socket.end('hello from the node'));
  const example = start('forward.ts', [TARGET, `${port}`], env);
  const local = await said(example, /127\.0\.0\.1:(\d+) leads to/);
  expect((await readAll(await connectTo(Number(local)))).toString()).toBe('hello from the node');
  example.kill('SIGINT');
  expect(await once(example, 'exit')).toEqual([0, null]);
});

test('socks is a proxy for curl', async () => {
  const env = await environment();
  const server = createHttpServer((_, response) => response.end('a page of the node'));
  const { port } = await bound(server);
  const example = start('socks.ts', [TARGET, '0'], env);
  const local = await said(example, /proxy on 127\.0\.0\.1:(\d+)/);
  const fetch = (proxy: string) =>
    promisify(execFile)('curl', ['-sS', '--proxy', proxy, '--proxytunnel', `http://127.0.0.1:${port}/`]);
  expect((await fetch(`socks5h://127.0.0.1:${local}`)).stdout).toBe('a page of the node');
  expect((await fetch(`http://127.0.0.1:${local}`)).stdout).toBe('a page of the node');
  example.kill('SIGINT');
  expect(await once(example, 'exit')).toEqual([0, null]);
});

// A machine without OpenSSH's server can try everything else; CI installs it.
describe.skipIf(!existsSync('/usr/sbin/sshd') && !process.env.CI)('ssh', () => {
  test('runs commands, and scp copies 100 MB both ways', async () => {
    const env = await environment();
    const { port, folder, options } = await sshServer();
    const proxy = `ProxyCommand=${process.execPath} ${ROOT}scripts/run.mjs ${ROOT}examples/ssh.ts ${TARGET} ${port}`;
    const run = (program: string, args: string[]) =>
      promisify(execFile)(program, [...options, '-o', proxy, ...args], { env: { ...process.env, ...env } });
    const host = `${userInfo().username}@node`;

    const { stdout } = await run('ssh', [host, 'echo $((6*7))']);
    expect(stdout).toBe('42\n');
    await expect(run('ssh', [host, 'exit 3'])).rejects.toMatchObject({ code: 3 });

    const file = randomBytes(100 * 1024 * 1024);
    writeFileSync(join(folder, 'there'), file);
    await run('scp', [join(folder, 'there'), `${host}:${join(folder, 'copied')}`]);
    await run('scp', [`${host}:${join(folder, 'copied')}`, join(folder, 'back')]);
    expect(sha256(readFileSync(join(folder, 'back')))).toBe(sha256(file));
  }, 300_000);
});

async function environment(): Promise<Record<string, string>> {
  const { server } = await portWorld();
  return environmentOf(server.url);
}

/** What the pattern's group matches in what an example says. */
async function said(example: ReturnType<typeof start>, pattern: RegExp): Promise<string> {
  let text = '';
  for await (const part of example.stderr!.iterator({ destroyOnReturn: false })) {
    text += part;
    const match = pattern.exec(text);
    if (match) return match[1]!;
  }
  throw new Error(`The example ended: ${text}`);
}

/** An OpenSSH server of this user's on loopback, with keys of its own. */
async function sshServer() {
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
  await said(server as never, /(Server listening)/);
  server.stderr!.resume();
  const options = ['-i', key('user'), '-F', 'none'];
  for (const option of ['StrictHostKeyChecking=no', `UserKnownHostsFile=${key('known')}`, 'BatchMode=yes'])
    options.push('-o', option);
  return { port, folder, options };
}

async function freePort(): Promise<number> {
  const server = createHttpServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
