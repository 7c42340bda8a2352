import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { developmentCertificate } from 'hawser/node';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readArguments } from '../../src/node/agent-program/arguments.ts';
import { ROOT } from '../examples/run.ts';
import { agentWorld, finished, hawserAgent, PROGRAM } from './agent-program-world.ts';
import { Collector } from './world.ts';

describe('hawser-agent', () => {
  test('makes a machine a node, runs sessions on it, and lets them end when it is told to stop', async () => {
    const world = await agentWorld();
    const target = await world.register();
    expect(target).toMatch(/^mi-[0-9a-f]{17}$/);
    const agent = await world.run();
    expect(await world.information()).toMatchObject([
      { InstanceId: target, PingStatus: 'Online', ComputerName: hostname(), AgentVersion: '3.3.0.0' },
    ]);
    expect((await finished(['status', ...world.where])).stdout).toContain(
      `runs as process ${agent.child.pid}`,
    );

    const result = await world.client.exec(target, 'echo out; exit 7');
    expect([result.exitCode, result.stdout]).toEqual([7, 'out\n']);

    const session = await world.client.startSession({ target });
    const reader = session.stdout.getReader();
    await reader.read();
    agent.child.kill('SIGTERM');
    await agent.stderr.until('SIGTERM: stopping, waiting for 1 session for 60 s');
    const late = await world.client.startSession({ target });
    expect((await late.ended).message).toContain('is stopping');
    const writer = session.stdin.getWriter();
    await writer.write(new TextEncoder().encode('exit 3\n'));
    reader.releaseLock();
    void session.stdout.pipeTo(new WritableStream());
    expect((await session.ended).exitCode).toBe(3);
    expect(await agent.exited).toBe(0);
    expect(agent.stderr.text).toMatch(/stopped\n$/);
    expect((await finished(['status', ...world.where])).stdout).toContain('is not running');
  });

  test('ends its sessions at the second signal', async () => {
    const world = await agentWorld();
    const target = await world.register();
    const agent = await world.run();
    const session = await world.client.startSession({ target });
    await session.stdout.getReader().read();
    agent.child.kill('SIGINT');
    await agent.stderr.until('SIGINT: stopping, waiting');
    agent.child.kill('SIGINT');
    await agent.stderr.until('SIGINT again: ending 1 session');
    expect(await agent.exited).toBe(0);
  });

  test('lets its sessions end when its terminal is closed', async () => {
    const world = await agentWorld();
    const target = await world.register();
    const agent = await world.run();
    const session = await world.client.startSession({ target });
    const reader = session.stdout.getReader();
    await reader.read();
    agent.child.kill('SIGHUP');
    await agent.stderr.until('SIGHUP: stopping, waiting for 1 session');
    await session.stdin.getWriter().write(new TextEncoder().encode('exit 3\n'));
    reader.releaseLock();
    void session.stdout.pipeTo(new WritableStream());
    expect((await session.ended).exitCode).toBe(3);
    expect(await agent.exited).toBe(0);
  });

  test('ends sessions that do not end in the time they have', async () => {
    const world = await agentWorld();
    const target = await world.register();
    const agent = await world.run(['--drain', '0']);
    const session = await world.client.startSession({ target });
    await session.stdout.getReader().read();
    agent.child.kill('SIGTERM');
    expect(await agent.exited).toBe(0);
    expect((await session.ended).message).toContain('agent of the managed node was stopped');
  });

  test('stops while it waits for a service that is not there', async () => {
    const world = await agentWorld();
    await world.register();
    await world.close();
    const agent = hawserAgent(['run', ...world.where]);
    await agent.stderr.until('disconnected: ');
    agent.child.kill('SIGTERM');
    expect(await agent.exited).toBe(0);
  });

  test('is one at a time for an identity', async () => {
    const world = await agentWorld();
    await world.register();
    await world.run();
    const second = await finished(['run', ...world.where]);
    expect(second).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('Two agents cannot be the same node'),
    });
    const { args, code } = await world.activation();
    expect(await finished([...args, '--force'], { input: code })).toMatchObject({ status: 1 });
  });

  test('leaves nothing in the directory when it cannot be written', async () => {
    const world = await agentWorld();
    await world.register();
    const script = 'ulimit -f 0 && exec "$@"';
    const agent = spawn('sh', ['-c', script, 'sh', process.execPath, PROGRAM, 'run', ...world.where]);
    const stderr = new Collector();
    agent.stderr.pipe(stderr);
    expect(await once(agent, 'close')).toEqual([1, null]);
    expect(stderr.text).toContain('EFBIG');
    expect(readdirSync(world.directory)).toEqual(['identity.json']);
  });

  test('does not start again where the service has deregistered it', async () => {
    const world = await agentWorld();
    await world.register();
    const identity = join(world.directory, 'identity.json');
    const other = await agentWorld();
    const text = await readFile(identity, 'utf8');
    await writeFile(identity, text.replace(world.endpoint, other.endpoint));
    const { status, stderr } = await finished(['run', ...world.where]);
    expect(status, stderr).toBe(78);
    expect(stderr).toContain('RequestManagedInstanceRoleToken was refused');
  });

  test('trusts a CA of its own by NODE_EXTRA_CA_CERTS, and says so when it does not', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'hawser-ca-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    const { caFile, ...tls } = await developmentCertificate({ directory });
    const world = await agentWorld(tls);
    expect(world.endpoint).toMatch(/^https:/);
    const { args, code } = await world.activation();
    const { status, stderr } = await finished(args, { input: code });
    expect([status, stderr]).toEqual([1, expect.stringContaining('NODE_EXTRA_CA_CERTS=')]);

    const env = { NODE_EXTRA_CA_CERTS: caFile };
    const registering = hawserAgent(args, { ...env, HAWSER_ACTIVATION_CODE: code });
    expect(await registering.exited).toBe(0);
    const target = registering.stdout.text.trim();
    const agent = await world.run([], env);
    expect((await world.client.exec(target, 'exit 4')).exitCode).toBe(4);
    agent.child.kill('SIGTERM');
    expect(await agent.exited).toBe(0);
  });
});

describe('hawser-agent register', () => {
  test('reads the code from stdin, and keeps the identity closed to others', async () => {
    const world = await agentWorld();
    const { args, code } = await world.activation();
    const { status, stdout, stderr } = await finished(args, { input: `\n${code}\n` });
    const next = `Next: hawser-agent run --directory ${world.directory}\n`;
    expect([status, stderr]).toEqual([0, expect.stringContaining(next)]);
    expect(stdout).toMatch(/^mi-[0-9a-f]{17}\n$/);
    expect((await stat(world.directory)).mode & 0o777).toBe(0o700);
    expect((await readFile(join(world.directory, 'identity.json'), 'utf8')).includes(code)).toBe(false);
  });

  test('takes the code as an argument, and the region from the environment', async () => {
    const world = await agentWorld();
    const { args, code } = await world.activation();
    const without = args.filter((arg) => arg !== '--region' && arg !== 'eu-central-1');
    const env = { AWS_REGION: 'eu-central-1' };
    expect((await finished([...without, '--activation-code', code], { env })).status).toBe(0);
  });

  test('does not replace a node unless it is forced to', async () => {
    const world = await agentWorld();
    const first = await world.register();
    const { args, code } = await world.activation();
    const refused = await finished(args, { input: code });
    expect(refused).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(`holds an identity already: ${first}`),
    });
    const forced = await finished([...args, '--force'], { input: code });
    expect(forced.status).toBe(0);
    expect(forced.stdout.trim()).not.toBe(first);
  });

  test('says what to do about an activation that cannot be used', async () => {
    const world = await agentWorld();
    const { args } = await world.activation();
    const { status, stderr } = await finished(args, { input: 'aaaaaaaaaaaaaaaaaaaa' });
    expect(status).toBe(78);
    expect(stderr).toMatch(
      /^hawser-agent: RegisterManagedInstance was refused with InvalidActivation.*Check its id/,
    );
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  test.each([
    [['register', '--region', 'eu-central-1'], 'needs --activation-id'],
    [['register', '--activation-id', 'x'], 'needs --region'],
    [['register', '--activation-id', 'x', '--region', 'eu-central-1'], 'needs the activation code'],
    [['run', '--drain', 'long'], '--drain is a number of seconds'],
    [['run', 'now'], 'now'],
    [['status', '--what'], '--what'],
    [['stop'], 'There is no command "stop"'],
    [[], 'What is to be done?'],
  ])('%j is told what is missing', async (args, text) => {
    const { status, stderr, stdout } = await finished(args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(text);
  });

  test('refuses an endpoint that would get the code in the clear', async () => {
    const world = await agentWorld();
    const { args, code } = await world.activation();
    const elsewhere = args.map((arg) => (arg === world.endpoint ? 'http://service.example' : arg));
    expect(await finished(elsewhere, { input: code })).toMatchObject({
      status: 78,
      stderr: expect.stringContaining('in the clear'),
    });
  });
});

describe('hawser-agent status', () => {
  test('tells which node this is', async () => {
    const world = await agentWorld();
    const id = await world.register();
    const { status, stdout } = await finished(['status', ...world.where]);
    expect(status).toBe(0);
    for (const text of [id, 'eu-central-1', world.endpoint, world.directory, 'is not running'])
      expect(stdout).toContain(text);
  });

  test.each(['status', 'run'])('and %s tell that it is none', async (command) => {
    const world = await agentWorld();
    const { status, stderr } = await finished([command, ...world.where]);
    expect([status, stderr]).toEqual([78, expect.stringContaining('Register this machine first')]);
  });
});

test('hawser-agent --version is that of the package, and --help tells of every option', async () => {
  const { version } = JSON.parse(await readFile(`${ROOT}package.json`, 'utf8'));
  expect(await finished(['--version'])).toMatchObject({ status: 0, stdout: `${version}\n` });
  const { status, stdout } = await finished(['--help']);
  expect(status).toBe(0);
  const source = await readFile(`${ROOT}src/node/agent-program/arguments.ts`, 'utf8');
  const options = [...source.matchAll(/^ +'?([a-z-]+)'?: \{ type: '/gm)].map(([, name]) => name!);
  expect(options.length).toBeGreaterThan(9);
  for (const option of options) expect(stdout).toContain(`--${option}`);
  expect(await finished(['run', '--help'])).toMatchObject({ status: 0, stdout });
});

test('shells of an agent of root are ssm-user’s, as those of AWS’s agent, unless that is not wanted', () => {
  expect(readArguments(['run'], {})).toMatchObject({ ssmUser: true });
  expect(readArguments(['run', '--own-user'], {})).toMatchObject({ ssmUser: false });
});
