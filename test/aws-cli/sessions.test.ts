import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { spawn } from '@lydell/node-pty';
import { describe, expect, onTestFinished, test } from 'vitest';
import { sshServer } from '../examples/ssh-server.ts';
import { connectTo, destination, readAll, sha256 } from '../node/port-world.ts';
import { Collector, INSTANCE_ID } from '../node/world.ts';
import { AWS, cliWorld, missing } from './world.ts';

const START = ['ssm', 'start-session', '--target', INSTANCE_ID];
/** What the CLI exits with when its plugin failed, whatever the status was. */
const FAILED = 255;

// A machine without the AWS CLI can try everything else; CI installs it.
describe.skipIf(missing)('aws ssm start-session', { timeout: 60_000 }, () => {
  test('is a shell on pipes, whose status the CLI tells', async () => {
    const { aws } = await cliWorld();
    const { child, stdout, stderr, exited } = aws(START);
    child.stdin!.end('echo $((6*7)); exit 3\n');
    expect(await exited).toBe(FAILED);
    expect(stdout.text).toMatch(/^\nStarting session with SessionId: tester-\w+\n/);
    expect(stdout.text).toContain('42\r\n');
    expect(stdout.text).toMatch(/\n\nExiting session with sessionId: tester-\w+\.\n\n$/);
    expect(stderr.text).toContain('returned non-zero exit status 3.');
  });

  test('is a shell in a terminal, where Ctrl-C is for the node', async () => {
    const { argumentsOf, environment } = await cliWorld();
    const pty = spawn(AWS, argumentsOf(START), { cols: 80, rows: 24, env: environment });
    onTestFinished(() => pty.kill('SIGKILL'));
    const screen = new Collector();
    pty.onData((text) => screen.write(text));
    const exited = new Promise((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)));
    await screen.until('Starting session with SessionId: ');
    pty.write("PS1='te''st> '\r");
    await screen.until('test> ');
    pty.resize(91, 33);
    pty.write(`while [ "$(stty size)" != "33 91" ]; do :; done; echo "resi""zed"\r`);
    await screen.until('resized\r\n');
    pty.write(`sh -c 'echo star""ted; exec sleep 1000'\r`);
    await screen.until('started\r\n');
    pty.write('\x03');
    await screen.until('test> ');
    pty.write('echo "status $?"; exit\r');
    await screen.until('status 130\r\n');
    expect(await exited).toBe(0);
  });

  test('runs an interactive command', async () => {
    const { aws } = await cliWorld();
    const command = 'read line; echo "heard $line"';
    const { child, stdout, exited } = aws([
      ...START,
      '--document-name=AWS-StartInteractiveCommand',
      '--parameters',
      JSON.stringify({ command: [command] }),
    ]);
    child.stdin!.end('hello\n');
    expect(await exited).toBe(0);
    expect(stdout.text).toContain('heard hello\r\n');
  });

  test('runs a non-interactive command: its error output apart, its status in the CLI’s words', async () => {
    const { aws } = await cliWorld();
    const { stdout, stderr, exited } = aws(
      [
        ...START,
        '--document-name=AWS-StartNonInteractiveCommand',
        '--parameters',
        JSON.stringify({ command: ["sh -c 'echo out; echo err >&2; exit 7'"] }),
      ],
      { HAWSER_QUIET: '1' },
    );
    expect(await exited).toBe(FAILED);
    expect(stdout.text.trimEnd()).toBe('out');
    expect(stderr.text).toMatch(/^err\n/);
    expect(stderr.text).toContain('returned non-zero exit status 7.');
  });

  test('forwards a port until Ctrl-C', async () => {
    const { aws, client } = await cliWorld();
    const portNumber = await destination((socket) => socket.pipe(socket));
    const { stdout, stderr, exited, interrupt } = aws([
      ...START,
      '--document-name=AWS-StartPortForwardingSession',
      '--parameters',
      JSON.stringify({ portNumber: [`${portNumber}`], localPortNumber: ['0'] }),
    ]);
    await stdout.until('\nPort ');
    const port = Number.parseInt(await stdout.until(' opened for sessionId '), 10);
    const sessionId = (await stdout.until('.\n')).slice(0, -2);
    await stdout.until('Waiting for connections...\n');
    const socket = await connectTo(port);
    socket.end('through TLS');
    expect((await readAll(socket)).toString()).toBe('through TLS');
    interrupt();
    expect(await exited).toBe(0);
    expect(stdout.text).toContain(`\nConnection accepted for session [${sessionId}]\n`);
    expect(stdout.text).toContain(`\n\nExiting session with sessionId: ${sessionId}.\n\n`);
    expect(stderr.text).toBe('');
    const statuses: (string | undefined)[] = [];
    for await (const { status } of client.describeSessions({ state: 'Active' })) statuses.push(status);
    expect(statuses.filter((status) => status !== 'Terminating')).toEqual([]);
  });

  test('goes on when its connection is cut, with the credentials that the CLI finds', async () => {
    const { aws, environment, line } = await cliWorld();
    const answer = { Version: 1, AccessKeyId: 'AKIAUSER', SecretAccessKey: 'secret-of-the-user' };
    mkdirSync(join(environment.HOME, '.aws'));
    writeFileSync(
      join(environment.HOME, '.aws/config'),
      `[profile work]\ncredential_process = echo '${JSON.stringify(answer)}'\n`,
    );
    const env = { AWS_ACCESS_KEY_ID: 'AKIAWRONG' };
    const { child, stdout, stderr, exited } = aws([...START, '--profile=work'], env);
    child.stdin!.write('seq 1 20000 | tr "\\n" ,\n');
    await stdout.until(',9000,');
    line.cutAll();
    await stdout.until(',19999,20000,');
    expect(stdout.text).toContain(Array.from({ length: 20_000 }, (_, i) => `${i + 1},`).join(''));
    child.stdin!.end('exit\n');
    expect(await exited).toBe(0);
    expect(stderr.text).toMatch(/^The connection is lost .*\nThe connection is resumed\.\n$/);
  });

  test('tells of a node that is not there', async () => {
    const { call } = await cliWorld();
    const { status, stdout, stderr } = await call('ssm', 'start-session', '--target', 'i-00000000000000000');
    expect(status).not.toBe(0);
    expect(stdout).toBe('');
    expect(stderr).toContain('(TargetNotConnected)');
    expect(stderr).toContain('i-00000000000000000 is not connected.');
  });
});

test.skipIf(missing)(
  'aws ecs execute-command opens the session that ECS started',
  async () => {
    const world = await cliWorld({ beside: (request) => ecs(request) });
    const startAccess = async () => {
      const access = await world.client.startAccess({ target: INSTANCE_ID });
      const streamUrl = access.streamUrl.replace(/^.*?(?=\/v1\/)/, world.endpoint.replace('https', 'wss'));
      return { ...access, streamUrl };
    };
    // What ECS answers, by the letter of its model. Its sessions are Systems Manager's own.
    const ecs = async (request: Request) => {
      switch (request.headers.get('x-amz-target')) {
        case 'AmazonEC2ContainerServiceV20141113.ExecuteCommand':
          return amazonJson({
            clusterArn: 'arn:aws:ecs:eu-central-1:111122223333:cluster/blue',
            taskArn: 'arn:aws:ecs:eu-central-1:111122223333:task/blue/0123',
            containerName: 'web',
            interactive: true,
            session: await startAccess(),
          });
        case 'AmazonEC2ContainerServiceV20141113.DescribeTasks':
          return amazonJson({ tasks: [{ containers: [{ name: 'web', runtimeId: '0123-4567' }] }] });
        default:
          return undefined;
      }
    };
    const words = [
      'ecs',
      'execute-command',
      '--cluster=blue',
      '--task=0123',
      '--interactive',
      '--command=sh',
    ];
    const { child, stdout, stderr, exited } = world.aws(words);
    await stdout.until('Starting session with SessionId: ');
    world.line.cutAll();
    await stderr.until('The connection is resumed.\n');
    child.stdin!.end('echo $((6*7)); exit\n');
    expect(await exited).toBe(0);
    expect(stdout.text).toContain('The Session Manager plugin was installed successfully.');
    expect(stdout.text).toContain('42\r\n');
  },
  60_000,
);

function amazonJson(value: object): Response {
  return new Response(JSON.stringify(value), { headers: { 'content-type': 'application/x-amz-json-1.1' } });
}

const noSsh = missing || (!existsSync('/usr/sbin/sshd') && !process.env.CI);

test.skipIf(noSsh)(
  'ssh and scp go through aws ssm start-session',
  async () => {
    const { argumentsOf, environment } = await cliWorld();
    const { port, folder, options } = await sshServer();
    const words = [...START, '--document-name', 'AWS-StartSSHSession', '--parameters', `portNumber=${port}`];
    const proxy = `ProxyCommand=${[AWS, ...argumentsOf(words)].join(' ')}`;
    const run = (program: string, args: string[]) =>
      promisify(execFile)(program, [...options, '-o', proxy, ...args], {
        env: { ...process.env, ...environment },
      });
    const host = `${userInfo().username}@node`;

    const { stdout, stderr } = await run('ssh', [host, 'echo $((6*7))']);
    expect(stdout).toBe('42\n');
    expect(stderr).not.toContain('session');
    const file = randomBytes(3_000_000);
    writeFileSync(join(folder, 'there'), file);
    await run('scp', [join(folder, 'there'), `${host}:${join(folder, 'copied')}`]);
    expect(sha256(readFileSync(join(folder, 'copied')))).toBe(sha256(file));
    await expect(run('ssh', [host, 'exit 3'])).rejects.toMatchObject({ code: 3 });
  },
  60_000,
);
