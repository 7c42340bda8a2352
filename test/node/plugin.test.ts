import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { spawn } from '@lydell/node-pty';
import type { SessionAccess, SessionClient, SessionDescription } from 'hawser';
import { virtualShell } from 'hawser/agent';
import { developmentCertificate } from 'hawser/node';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { environmentOf } from '../examples/run.ts';
import { cuttable } from '../runtimes/cuttable.ts';
import { PLUGIN, pluginWorld, startPlugin } from './plugin-world.ts';
import { bound, connectTo, destination, readAll } from './port-world.ts';
import { Collector, INSTANCE_ID, isAlive } from './world.ts';

// Each test waits for several programs to start.
vi.setConfig({ testTimeout: 60_000 });

const COMMAND = 'AWS-StartNonInteractiveCommand';
const FORWARD = 'AWS-StartPortForwardingSession';

/** The plugin in a terminal of 80 by 24, called as by old CLIs. */
function inTerminal(access: SessionAccess, endpoint: string) {
  const response = JSON.stringify({
    SessionId: access.sessionId,
    TokenValue: access.tokenValue,
    StreamUrl: access.streamUrl,
  });
  const [program, ...args] = PLUGIN;
  const pty = spawn(program, [...args, response, 'eu-central-1', 'StartSession', '', '{}', endpoint], {
    cols: 80,
    rows: 24,
    env: { ...process.env, ...environmentOf(endpoint) },
  });
  const screen = new Collector();
  pty.onData((text) => screen.write(text));
  onTestFinished(() => pty.kill('SIGKILL'));
  return { pty, screen };
}

describe('a shell', () => {
  test('runs what is piped in, to its end, and has the status of the shell', async () => {
    const { start } = await pluginWorld();
    const { child, stdout, stderr, exited } = await start();
    child.stdin!.end('stty size; echo $((6*7)); exit 3\n');
    expect(await exited).toBe(3);
    const [, sessionId] = /^\nStarting session with SessionId: (\S+)\n/.exec(stdout.text)!;
    expect(stdout.text).toContain('100 300\r\n42\r\n');
    expect(stdout.text).toMatch(new RegExp(`\n\nExiting session with sessionId: ${sessionId}\\.\n\n$`));
    expect(stderr.text).toBe('');
  });

  test('ends with its input', async () => {
    const { start } = await pluginWorld();
    const { child, stdout, exited } = await start();
    child.stdin!.end();
    expect(await exited).toBe(0);
    expect(stdout.text).toContain('Exiting session');
  });

  test('in a terminal follows the window and takes every key', async () => {
    const { client, server } = await pluginWorld();
    const access = await client.startAccess({ target: INSTANCE_ID });
    const { pty, screen } = inTerminal(access, server.url);
    const exited = new Promise((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)));

    await screen.until('Starting session with SessionId: ');
    pty.write("PS1='te''st> '\r");
    await screen.until('test> ');
    // The arguments of this form hold the token; `ps` shows none of it.
    expect(readFileSync(`/proc/${pty.pid}/cmdline`, 'utf8')).not.toContain(access.tokenValue.slice(0, 16));
    pty.write('stty size\r');
    await screen.until('24 80\r\n');
    pty.resize(91, 33);
    pty.write(`while [ "$(stty size)" != "33 91" ]; do :; done; echo "resi""zed"\r`);
    await screen.until('resized\r\n');
    for (const [key, status] of [
      ['\x03', 130],
      ['\x1c', 131],
      ['\x1a', 148],
    ] as const) {
      pty.write(`sh -c 'echo star""ted; exec sleep 1000'\r`);
      await screen.until('started\r\n');
      pty.write(key);
      await screen.until('test> ');
      pty.write('echo "status $?"\r');
      await screen.until(`status ${status}\r\n`);
    }
    pty.write('kill -9 %1; disown; exit 5\r');
    expect(await exited).toBe(5);
  });

  test('without a terminal takes the keys as signals', async () => {
    const { start } = await pluginWorld();
    const { child, stdout, exited } = await start();
    child.stdin!.write("PS1='te''st> '\n");
    await stdout.until('test> ');
    for (const [signal, status] of [
      ['SIGINT', 130],
      ['SIGQUIT', 131],
      ['SIGTSTP', 148],
    ] as const) {
      child.stdin!.write(`sh -c 'echo star""ted; exec sleep 1000'\n`);
      await stdout.until('started\r\n');
      child.kill(signal);
      await stdout.until('test> ');
      child.stdin!.write('echo "status $?"\n');
      await stdout.until(`status ${status}\r\n`);
    }
    child.stdin!.write('kill -9 %1; disown; exit 6\n');
    expect(await exited).toBe(6);
  });

  test.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('is terminated by %s, and leaves nothing on the node', async (signal, status) => {
    const { client, start } = await pluginWorld();
    const { child, stdout, exited } = await start();
    child.stdin!.write('sleep 1000 & echo "pid"s $$ $! "e"nd; wait\n');
    await stdout.until('pids ');
    const pids = (await stdout.until(' end')).split(' ').slice(0, 2).map(Number);
    expect(pids.filter(isAlive)).toHaveLength(2);
    child.kill(signal);
    expect(await exited).toBe(status);
    expect(await activeSessions(client)).toEqual([]);
  });

  test('ends with the terminal that it is in, by SIGHUP, and leaves nothing on the node', async () => {
    // A real shell would inherit the terminal of this test, and keep it from hanging up.
    const { client, server } = await pluginWorld({ Standard_Stream: virtualShell() });
    const access = await client.startAccess({ target: INSTANCE_ID });
    const { pty, screen } = inTerminal(access, server.url);
    const ended = new Promise((resolve) => pty.onExit(({ signal }) => resolve(signal)));
    await screen.until('Starting session with SessionId: ');
    await screen.until('$ ');
    (pty as unknown as { destroy(): void }).destroy();
    expect(await ended).toBe(constants.signals.SIGHUP);
    expect(await activeSessions(client)).toEqual([]);
  });

  test('that somebody else terminates says so, and is no success', async () => {
    const { client, start } = await pluginWorld();
    const { stdout, exited } = await start();
    await stdout.until('Starting session with SessionId: ');
    const sessionId = (await stdout.until('\n')).trim();
    await client.terminateSession(sessionId);
    expect(await exited).toBe(1);
    expect(stdout.text).toContain(`Exiting session with sessionId: ${sessionId}.`);
  });

  test('that the agent cannot start says why', async () => {
    const { start } = await pluginWorld(
      {},
      { 'Run-As': { schemaVersion: '1.0', sessionType: 'Standard_Stream', inputs: { runAsEnabled: true } } },
    );
    const { stdout, exited } = await start({ documentName: 'Run-As' });
    expect(await exited).toBe(1);
    expect(stdout.text).toMatch(/\n\nSessionId: \S+ : [\s\S]*RunAs[\s\S]*\n\n$/);
  });
});

describe('a non-interactive command', () => {
  const parameters = { command: "sh -c 'echo out; echo err >&2; exit 7'" };

  test('has its output and its error output apart, and its own status', async () => {
    const { start } = await pluginWorld();
    const { stdout, stderr, exited } = await start({ documentName: COMMAND, parameters });
    expect(await exited).toBe(7);
    expect(stdout.text).toMatch(
      /^\nStarting session with SessionId: \S+\nout\nEXIT_CODE: 7\n\nExiting session with sessionId: \S+\.\n\n$/,
    );
    expect(stderr.text).toBe('err\n');
  });

  test('is all there is on stdout with HAWSER_QUIET, and a success with HAWSER_EXIT_ZERO', async () => {
    const { start } = await pluginWorld();
    const env = { HAWSER_QUIET: '1', HAWSER_EXIT_ZERO: '1' };
    const { stdout, stderr, exited } = await start({ documentName: COMMAND, parameters }, { env });
    expect(await exited).toBe(0);
    expect(stdout.text).toBe('out\n');
    expect(stderr.text).toBe('err\n');
  });

  test('is interrupted by SIGINT', async () => {
    const { start } = await pluginWorld();
    const command = "sh -c 'echo started; exec sleep 1000'";
    const { child, stdout, exited } = await start({ documentName: COMMAND, parameters: { command } });
    await stdout.until('started\n');
    child.kill('SIGINT');
    expect(await exited).toBe(130);
  });

  test('ends when nobody reads its output any more', async () => {
    const { start } = await pluginWorld();
    const { child, stdout, exited } = await start({ documentName: COMMAND, parameters: { command: 'yes' } });
    await stdout.until('y\n');
    child.stdout!.destroy();
    expect(await exited).toBe(0);
  });
});

describe('a forwarded port', () => {
  test('is opened, used, and closed by SIGINT, in the words of AWS’s plugin', async () => {
    const { client, start } = await pluginWorld();
    const portNumber = `${await destination((socket) => socket.pipe(socket))}`;
    const { child, stdout, stderr, exited } = await start({
      documentName: FORWARD,
      parameters: { portNumber },
    });
    await stdout.until('\nStarting session with SessionId: ');
    const sessionId = (await stdout.until('\n')).trim();
    const [, port] = /^Port (\d+) /.exec(await stdout.until('Waiting for connections...\n'))!;
    expect(stdout.text).toContain(
      `\nPort ${port} opened for sessionId ${sessionId}.\nWaiting for connections...\n`,
    );
    for (const text of ['first', 'second']) {
      const socket = await connectTo(Number(port));
      socket.end(text);
      expect((await readAll(socket)).toString()).toBe(text);
    }
    child.kill('SIGINT');
    expect(await exited).toBe(0);
    expect(stdout.text.split(`Waiting for connections...\n`)[1]).toBe(
      `\nConnection accepted for session [${sessionId}]\nTerminate signal received, exiting.\n\n\nExiting session with sessionId: ${sessionId}.\n\n`,
    );
    expect(stderr.text).toBe('');
    expect(await activeSessions(client)).toEqual([]);
  });

  test('that nothing listens on is told of, and the session goes on', async () => {
    const { start } = await pluginWorld();
    const server = createTcpServer();
    const { port: closed } = await bound(server);
    server.close();
    const input = { documentName: FORWARD, parameters: { portNumber: `${closed}` } };
    const { child, stdout, exited } = await start(input);
    await stdout.until('\nPort ');
    const local = Number.parseInt(await stdout.until('Waiting'), 10);
    connect(local, '127.0.0.1').on('error', () => {});
    await stdout.until('\nConnection to destination port failed, check SSM Agent logs.\n');
    child.kill('SIGINT');
    expect(await exited).toBe(0);
  });

  test('that is taken here ends the session with the reason', async () => {
    const { client, start } = await pluginWorld();
    const { port } = await bound(createTcpServer());
    const parameters = { portNumber: '80', localPortNumber: `${port}` };
    const { stdout, exited } = await start({ documentName: FORWARD, parameters });
    expect(await exited).toBe(1);
    expect(stdout.text).toContain(`Cannot perform start session: listen EADDRINUSE`);
    expect(await activeSessions(client)).toEqual([]);
  });

  test('can be a Unix socket here, which is removed in the end; when quiet, stderr tells of it', async () => {
    const { start } = await pluginWorld();
    const portNumber = `${await destination((socket) => socket.end('hello'))}`;
    const localUnixSocket = join(temporaryFolder(), 'socket');
    const documentName = 'AWS-StartPortForwardingSessionToSocket';
    const { child, stdout, stderr, exited } = await start(
      { documentName, parameters: { portNumber, localUnixSocket } },
      { env: { HAWSER_QUIET: '1' } },
    );
    await stderr.until(`Unix socket ${localUnixSocket} opened for sessionId `);
    expect((await readAll(connect(localUnixSocket))).toString()).toBe('hello');
    child.kill('SIGINT');
    expect(await exited).toBe(0);
    expect(existsSync(localUnixSocket)).toBe(false);
    expect(stdout.text).toBe('');
  });
});

describe('a session for SSH', () => {
  test('carries every byte between the standard streams and the port, and nothing else', async () => {
    const { start } = await pluginWorld();
    const portNumber = `${await destination((socket) => socket.pipe(socket))}`;
    const { child, stdout, stderr, exited } = await start({
      documentName: 'AWS-StartSSHSession',
      parameters: { portNumber },
    });
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, i) => i % 256));
    child.stdin!.write('\n');
    await stdout.until('\n');
    child.stdin!.end(bytes);
    expect(await exited).toBe(0);
    expect(stdout.bytes.equals(Buffer.concat([Buffer.from('\n'), bytes]))).toBe(true);
    expect(stderr.text).toBe('');
  });

  test('to a port that nothing listens on fails, on stderr', async () => {
    const { start } = await pluginWorld();
    const server = createTcpServer();
    const { port } = await bound(server);
    server.close();
    const parameters = { portNumber: `${port}` };
    const { stdout, stderr, exited } = await start({ documentName: 'AWS-StartSSHSession', parameters });
    expect(await exited).toBe(1);
    expect(stdout.text).toBe('');
    expect(stderr.text).toContain('ECONNREFUSED');
  });
});

describe('a lost connection', () => {
  /** A session whose connection can be cut, and the calls of its plugin. */
  async function onALine(options: { env?: NodeJS.ProcessEnv; profile?: string; endpoint?: string } = {}) {
    const { client, server } = await pluginWorld();
    const line = await cuttable(Number(new URL(server.url).port));
    onTestFinished(() => line.close());
    const access = await client.startAccess({ target: INSTANCE_ID });
    const streamUrl = access.streamUrl.replace(/:\d+\//, `:${line.port}/`);
    const plugin = startPlugin({ ...access, streamUrl }, { endpoint: server.url, ...options });
    plugin.child.stdin!.write("PS1='te''st> '\n");
    await plugin.stdout.until('test> ');
    return { ...plugin, access, line };
  }

  const NO_KEYS = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', PATH: '/nowhere', HOME: '/nowhere' };

  test('is resumed with the credentials of the environment, and nothing is lost', async () => {
    const { child, stdout, stderr, exited, line } = await onALine();
    child.stdin!.write('seq 1 20000 | tr "\\n" ,\n');
    await stdout.until(',9000,');
    line.cut('reset');
    await stdout.until(',19999,20000,');
    expect(stdout.text).toContain(Array.from({ length: 20_000 }, (_, i) => `${i + 1},`).join(''));
    child.stdin!.end('exit 4\n');
    expect(await exited).toBe(4);
    expect(stderr.text).toMatch(
      /^The connection is lost and being resumed, .*\nThe connection is resumed\.\n$/,
    );
  });

  test('is resumed with the keys of the profile', async () => {
    const file = join(temporaryFolder(), 'credentials');
    writeFileSync(
      file,
      '[default]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = no\n\n[work]\naws_access_key_id = AKIAUSER\naws_secret_access_key = secret-of-the-user\n',
    );
    const env = { AWS_SHARED_CREDENTIALS_FILE: file, AWS_ACCESS_KEY_ID: 'AKIAWRONG' };
    const { child, stderr, exited, line } = await onALine({ profile: 'work', env });
    line.cut('end');
    await stderr.until('The connection is resumed.');
    child.stdin!.end('exit 4\n');
    expect(await exited).toBe(4);
  });

  test('ends the session with the reason where there are no credentials', async () => {
    const { stdout, stderr, exited, line } = await onALine({ env: NO_KEYS });
    line.cut('end');
    expect(await exited).toBe(1);
    expect(stderr.text).toMatch(
      /\nThe session \S+ ended: The connection was lost and cannot be resumed\. \(There are no credentials\./,
    );
    expect(stdout.text).not.toContain('Exiting');
  });

  test('of a session that is over is told as AWS’s plugin does', async () => {
    const service = createServer((_, response) => response.end('{"SessionId":"x"}'));
    const { port } = await bound(service);
    const { stdout, exited, line, access } = await onALine({ endpoint: `http://127.0.0.1:${port}` });
    line.cut('end');
    expect(await exited).toBe(1);
    expect(stdout.text.endsWith(`Session: ${access.sessionId} timed out.\n`)).toBe(true);
  });
});

describe('a data channel that cannot be opened', () => {
  test('is told, the session is terminated, and no secret is shown', async () => {
    const { client, server } = await pluginWorld();
    const access = await client.startAccess({ target: INSTANCE_ID });
    const streamUrl = 'ws://127.0.0.1:9/v1/data-channel/x?role=publish_subscribe';
    const { stdout, stderr, exited } = startPlugin({ ...access, streamUrl }, { endpoint: server.url });
    // ResumeSession names the right URL, so the session opens after all.
    await stdout.until('Starting session');
    await client.terminateSession(access.sessionId);
    expect(await exited).toBe(1);
    expect(stdout.text + stderr.text).not.toContain(access.tokenValue);
  });

  test('since its certificate is not trusted says which variable names an authority', async () => {
    const tls = await developmentCertificate({ directory: temporaryFolder() });
    const server = createTlsServer(tls).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const place = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const access = { sessionId: 'x', tokenValue: 't', streamUrl: `wss://${place}/v1/data-channel/x` };
    const { stdout, exited } = startPlugin(access, { endpoint: `https://${place}` });
    expect(await exited).toBe(1);
    expect(stdout.text).toMatch(/certificate.*\. An authority of your own is named by AWS_CA_BUNDLE/);
  });
});

/** Sessions that nobody is ending. */
async function activeSessions(client: SessionClient): Promise<SessionDescription[]> {
  const active: SessionDescription[] = [];
  for await (const session of client.describeSessions({ state: 'Active' }))
    if (session.status !== 'Terminating') active.push(session);
  return active;
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hawser-plugin-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}
