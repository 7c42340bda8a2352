import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { Session } from 'hawser';
import type { AgentSession, SessionHandler } from 'hawser/agent';
import {
  attachPipes,
  type CommandOptions,
  interactiveCommands,
  nonInteractiveCommands,
  pipeShell,
  ptyShell,
  type ShellOptions,
} from 'hawser/node';
import type { SessionDocument } from 'hawser/service';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { asUserInTerminal } from '../../src/node/as-user.ts';
import { findLocalUser } from '../../src/node/local-user.ts';
import { ensureAdminUser } from '../../src/node/ssm-user.ts';
import { addUser, hasUser, makeUser, NOT_ROOT, newName, removeTestUser, removeUser, run } from './users.ts';
import { Collector, isAlive, world } from './world.ts';

/** What all of a session's output is, and how it ends. */
async function outputOf(session: Session) {
  const stdout = new Response(session.stdout as ReadableStream<Uint8Array<ArrayBuffer>>).text();
  const stderr = new Response(session.stderr as ReadableStream<Uint8Array<ArrayBuffer>>).text();
  return { stdout: await stdout, stderr: await stderr, end: await session.ended };
}

const asUser = (user: string) => ({ runAsEnabled: true, runAsDefaultUser: user });

/** Runs a command of `sh` without a terminal. */
async function sh(
  script: string,
  inputs: SessionDocument['inputs'],
  options: CommandOptions = {},
  part: object = {},
) {
  const commands = `sh -c '${script}'`;
  const { session } = await world(nonInteractiveCommands(options), inputs, {
    sessionType: 'NonInteractiveCommands',
    properties: { linux: { commands, separateOutputStream: true, ...part } },
  });
  return outputOf(session);
}

/** A shell in a terminal that does this and ends; the last line of what it has said by then. */
async function inTerminal(script: string, inputs: SessionDocument['inputs'], options: ShellOptions = {}) {
  const { session } = await world(ptyShell({ shell: 'sh', ...options }), inputs);
  const writer = session.stdin.getWriter();
  await writer.write(new TextEncoder().encode(`${script}; exit 7\n`));
  const { stdout, end } = await outputOf(session);
  return { shown: stdout.trimEnd().split('\r\n').at(-1)!, stdout, end };
}

function folder(mode = 0o755): string {
  const path = mkdtempSync(join(tmpdir(), 'hawser-run-as-'));
  chmodSync(path, mode);
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

let name: string;
let group: string;
beforeAll(() => {
  if (NOT_ROOT) return;
  const user = addUser();
  ({ name, group } = user);
  return () => removeTestUser(user);
});

describe.skipIf(NOT_ROOT)('a session that runs as another user (needs root on Linux)', () => {
  test('has the user, the group and all groups of that user, and none of root', async () => {
    const { shown, end } = await inTerminal('echo $(id -un) $(id -u) $(id -gn) "$(id -Gn)"', asUser(name));
    expect(shown).toBe(`${name} ${run('id', '-u', name)} ${name} ${name} ${group}`);
    expect(end).toMatchObject({ reason: 'CommandExited', exitCode: 7 });
    expect((await sh('echo $(id -Gn)', asUser(name))).stdout).toBe(`${name} ${group}\n`);
  });

  test('cannot become root again', async () => {
    const { stdout } = await sh(
      'grep -E ^[UG]id: /proc/self/status; grep CapEff /proc/self/status',
      asUser(name),
    );
    const [uid, gid] = [run('id', '-u', name), run('id', '-g', name)];
    expect(stdout.split(/\s+/)).toEqual([
      'Uid:',
      uid,
      uid,
      uid,
      uid,
      'Gid:',
      gid,
      gid,
      gid,
      gid,
      'CapEff:',
      '0000000000000000',
      '',
    ]);
  });

  test('is become by programs of the system, whatever the PATH leads to', async () => {
    const path = folder();
    const log = join(path, 'log');
    for (const program of ['id', 'getent', 'setpriv', 'chown', 'tty', 'sh'])
      writeFileSync(join(path, program), `#!/bin/bash\necho $EUID ${program} >>${log}\n`, { mode: 0o755 });
    vi.stubEnv('PATH', `${path}:${process.env.PATH}`);
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const { shown } = await inTerminal('echo $EUID', asUser(name), { shell: 'bash' });
    expect(shown).not.toBe('0');
    expect(() => readFileSync(log)).toThrow('ENOENT');
  });

  test('does not get at the terminals of others', async () => {
    const other = await world(ptyShell({ shell: 'sh' }));
    const said = other.session.stdout.getReader();
    await said.read(); // it is there
    const { stdout } = await inTerminal('ls -l /proc/$$/fd; echo that is all', asUser(name));
    expect(stdout).toMatch(/that is all\r\n$/);
    expect(stdout).not.toContain('ptmx');
    expect((await sh('ls -l /proc/$$/fd', asUser(name))).stdout).not.toContain('ptmx');
    await other.session.terminate();
  });

  test('owns its terminal', async () => {
    const script = '[ -O "$(tty)" ] && echo by name >"$(tty)" && echo controlling >/dev/tty && stty size';
    const { stdout, shown } = await inTerminal(script, asUser(name));
    expect(stdout).toContain('\r\nby name\r\ncontrolling\r\n');
    expect(shown).toBe('24 80');
  });

  test('has the home and the name of that user', async () => {
    const { shown } = await inTerminal('echo $HOME $USER $LOGNAME $TERM', asUser(name));
    expect(shown).toBe(`/home/${name} ${name} ${name} xterm-256color`);
  });

  test('has the home that the database says where there is none in /home', async () => {
    const home = folder();
    const { name } = makeUser('-d', home);
    expect((await sh('echo $HOME', asUser(name))).stdout).toBe(`${home}\n`);
  });

  test('has the environment of the agent, without its secrets and what is its user’s own', async () => {
    for (const secret of ['AWS_SECRET_ACCESS_KEY', 'HAWSER_ACTIVATION_CODE', 'MY_DB_PASSWORD', 'NPM_TOKEN'])
      vi.stubEnv(secret, 'hush');
    for (const own of ['SSH_AUTH_SOCK', 'SUDO_USER', 'XDG_RUNTIME_DIR', 'MAIL']) vi.stubEnv(own, '/of/root');
    vi.stubEnv('HAWSER', 'said');
    vi.stubEnv('LANG', '');
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const options = { env: { AWS_REGION: 'given' } };
    const { stdout } = await sh('env', asUser(name), options);
    expect(stdout).not.toMatch(/hush|of.root/);
    expect(stdout.split('\n')).toEqual(
      expect.arrayContaining(['HAWSER=said', 'LANG=C.UTF-8', 'AWS_REGION=given', `PATH=${process.env.PATH}`]),
    );
    expect((await sh('env', {})).stdout).toContain('HAWSER_ACTIVATION_CODE=hush'); // the agent's own user
  });

  test('takes the caller’s tag over the document’s user', async () => {
    const handler: SessionHandler = (session) =>
      pipeShell()(Object.create(session, { runAsUser: { value: name } }) as AgentSession);
    const { session } = await world(handler, asUser('no-such-user'));
    const stdin = new PassThrough();
    const stdout = new Collector();
    const ended = attachPipes(session, { stdin, stdout, stderr: new Collector() });
    stdin.end('id -un; id -Gn | wc -w\n');
    expect(await ended).toMatchObject({ exitCode: 0 });
    expect(stdout.text).toBe(`${name}\n2\n`);
  });

  test('is the same with a command in a terminal', async () => {
    const { session } = await world(interactiveCommands(), asUser(name), {
      sessionType: 'InteractiveCommands',
      properties: { linux: { commands: '[ -O $(tty) ]; echo $? $HOME; id -Gn; exit 5' } },
    });
    const { stdout, end } = await outputOf(session);
    expect(stdout).toBe(`0 /home/${name}\r\n${name} ${group}\r\n`);
    expect(end).toMatchObject({ exitCode: 5 });
  });

  test('merges the streams of a command', async () => {
    const { stdout, end } = await sh(
      'id -un; id -un >&2; exit 3',
      asUser(name),
      {},
      { separateOutputStream: false },
    );
    expect(stdout).toBe(`${name}\n${name}\n`);
    expect(end).toMatchObject({ exitCode: 3 });
  });

  test('is in the agent’s folder, or in / when that is closed to the user', async () => {
    const before = process.cwd();
    onTestFinished(() => process.chdir(before));
    const [open, closed] = [folder(), folder(0o700)];
    process.chdir(open);
    expect((await sh('pwd', asUser(name))).stdout).toBe(`${open}\n`);
    process.chdir(closed);
    expect((await sh('pwd', asUser(name))).stdout).toBe('/\n');
  });

  test('does not start elsewhere than in a folder given for it', async () => {
    const cwd = folder(0o700);
    const { end } = await sh('pwd', asUser(name), { cwd });
    expect(end).toMatchObject({
      reason: 'AgentFailure',
      message: `The shell cannot be started: ${name} may not enter the folder ${cwd}.`,
    });
  });

  test('says what the user may not execute', async () => {
    const program = join(folder(0o700), 'program');
    writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
    const { session } = await world(nonInteractiveCommands(), asUser(name), {
      sessionType: 'NonInteractiveCommands',
      properties: { linux: { commands: program, separateOutputStream: true } },
    });
    const { stderr, end } = await outputOf(session);
    expect(stderr).toContain('Permission denied');
    expect(end).toMatchObject({ exitCode: 126 });
  });

  test('ends with everything that was started in it', async () => {
    const { session, agent } = await world(ptyShell({ shell: 'sh' }), asUser(name));
    const screen = new Collector();
    void session.stdout.pipeTo(
      new WritableStream({ write: (bytes) => new Promise((done) => screen.write(bytes, () => done())) }),
    );
    const writer = session.stdin.getWriter();
    const script = `sleep 1000 & nohup sleep 1001 >/dev/null 2>&1 & sh -c 'trap "" HUP; sleep 1002' & jobs -p; echo $$ do""ne\n`;
    await writer.write(new TextEncoder().encode(script));
    const pids = [...(await screen.until(' done\r\n')).matchAll(/^\d+/gm)].map(Number);
    expect(pids.length).toBeGreaterThanOrEqual(4);
    expect(pids.every(isAlive)).toBe(true);
    const ended = new Promise((resolve) => agent.once('sessionEnded', resolve));
    await session.terminate();
    await ended;
    expect(pids.filter(isAlive)).toEqual([]);
  });

  test('a command that is elevated runs as root, with root’s home', async () => {
    vi.stubEnv('HOME', '/elsewhere');
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const { stdout } = await sh('id -u; echo $HOME', asUser('no-such-user'), {}, { runAsElevated: true });
    expect(stdout).toBe('0\n/root\n');
  });
});

test.skipIf(NOT_ROOT)(
  'where the terminal has no name, no file gets another owner (needs root on Linux)',
  async () => {
    const cwd = folder();
    const file = join(cwd, 'not a tty'); // what `tty` says then
    writeFileSync(file, '');
    const user = await findLocalUser(name);
    const { program, args } = asUserInTerminal({ program: 'true', args: [], env: {}, cwd }, user!);
    execFileSync(program, args, { cwd, stdio: 'ignore' });
    expect(statSync(file).uid).toBe(0);
  },
);

describe('a session that cannot run as it should', () => {
  const START = '----------ERROR-------\nUnable to start command: ';
  const refusal = (inputs: SessionDocument['inputs'], handler = ptyShell()) =>
    world(handler, inputs).then(({ session }) => session.ended);

  test('names nobody', async () => {
    for (const runAsDefaultUser of ['', '  ', undefined]) {
      const inputs = { runAsEnabled: true, ...(runAsDefaultUser !== undefined && { runAsDefaultUser }) };
      expect(await refusal(inputs)).toMatchObject({
        reason: 'AgentFailure',
        message: `${START}please set the RunAs default user`,
      });
    }
  });

  test.skipIf(NOT_ROOT)('names a user who does not exist', async () => {
    const message = `${START}failed to start pty since RunAs user no-such-user does not exist`;
    for (const handler of [ptyShell(), pipeShell()])
      expect(await refusal(asUser('no-such-user'), handler)).toMatchObject({ message });
    expect((await sh('id', asUser('no-such-user'))).end).toMatchObject({ message });
  });

  test.skipIf(NOT_ROOT)('does not fall back to ssm-user', async () => {
    expect(await refusal(asUser('no-such-user'), ptyShell({ ssmUser: true }))).toMatchObject({
      message: expect.stringContaining('no-such-user does not exist'),
    });
  });

  test.skipIf(NOT_ROOT)('names root, or a user in the group of root', async () => {
    const { name } = makeUser('-g', 'root');
    for (const user of ['root', name])
      expect(await refusal(asUser(user))).toMatchObject({ message: `${START}invalid uid and gid` });
  });

  test.skipIf(NOT_ROOT).each(['a b', '$(id)', '-u', 'root;id', '../root', 'x'.repeat(33), '0'])(
    'names what is no name: %j',
    async (user) => {
      // The service would refuse it first: what another service lets through must not get into a command either.
      const inputs = { runAsEnabled: true, runAsDefaultUser: user };
      const handler: SessionHandler = (session) =>
        ptyShell()(Object.create(session, { inputs: { value: inputs } }) as AgentSession);
      expect(await refusal({}, handler)).toMatchObject({
        message: `${START}${JSON.stringify(user)} is no name of a user`,
      });
    },
  );

  test('is on an agent that is not root', async () => {
    if (process.geteuid?.() === 0) {
      process.seteuid?.(65_534);
      onTestFinished(() => process.seteuid?.(0));
    }
    expect(await refusal(asUser('nobody'))).toMatchObject({
      message: `${START}the agent must run as root to use RunAs`,
    });
  });

  test('is asked for by what is no boolean', async () => {
    const handler: SessionHandler = (session) =>
      ptyShell()(Object.create(session, { inputs: { value: { runAsEnabled: 'yes' } } }) as AgentSession);
    expect(await refusal({}, handler)).toMatchObject({
      message: 'runAsEnabled of the session document must be true or false, not "yes".',
    });
  });
});

describe.skipIf(NOT_ROOT)('ssm-user (needs root on Linux)', () => {
  test('is made with a home and leave to use sudo, once', async () => {
    const name = newName();
    onTestFinished(() => removeUser(name));
    const sudoers = folder();
    const [first, second] = await Promise.all([
      ensureAdminUser(name, sudoers),
      ensureAdminUser(name, sudoers),
    ]);
    expect(second).toEqual(first);
    expect(first).toMatchObject({ name, home: `/home/${name}`, uid: Number(run('id', '-u', name)) });
    const file = join(sudoers, 'ssm-agent-users');
    expect(readFileSync(file, 'utf8')).toBe(`# User rules for ${name}\n${name} ALL=(ALL) NOPASSWD:ALL\n`);
    expect(statSync(file).mode & 0o7777).toBe(0o440);
    expect(readdirSync(sudoers)).toEqual(['ssm-agent-users']);
  });

  test('gets no rules when it has been there before', async () => {
    const sudoers = folder();
    expect(await ensureAdminUser(name, sudoers)).toEqual(await findLocalUser(name));
    expect(() => statSync(join(sudoers, 'ssm-agent-users'))).toThrow('ENOENT');
  });

  test('leaves rules that are there as they are, but closes the file', async () => {
    const name = newName();
    onTestFinished(() => removeUser(name));
    const sudoers = folder();
    const file = join(sudoers, 'ssm-agent-users');
    writeFileSync(file, '# mine\n', { mode: 0o644 });
    await ensureAdminUser(name, sudoers);
    expect(readFileSync(file, 'utf8')).toBe('# mine\n');
    expect(statSync(file).mode & 0o7777).toBe(0o440);
  });

  test('is made where there is no sudo', async () => {
    const name = newName();
    onTestFinished(() => removeUser(name));
    expect(await ensureAdminUser(name, '/no/such/folder')).toMatchObject({ name });
  });

  test('is refused with the reason when it cannot be made', async () => {
    await expect(ensureAdminUser('in:valid', folder())).rejects.toThrow(
      /in:valid could not be created: .*invalid/,
    );
  });

  test('is who a session runs as when nobody else was asked for', async ({ skip }) => {
    if (hasUser('ssm-user')) skip('this machine has an ssm-user, and keeps it as it is');
    onTestFinished(() => removeUser('ssm-user'));
    const options = { ssmUser: true, sudoersFolder: folder() };
    const { shown } = await inTerminal('echo $(id -un) $HOME $(id -Gn)', { runAsEnabled: false }, options);
    expect(shown).toBe('ssm-user /home/ssm-user ssm-user');
    expect(readFileSync(join(options.sudoersFolder, 'ssm-agent-users'), 'utf8')).toContain('ssm-user ALL');
    expect((await sh('id -un', {}, options)).stdout).toBe('ssm-user\n');
    expect((await sh('id -un', {}, options, { runAsElevated: true })).stdout).toBe('root\n');
  });
});

test('an agent that is not root runs sessions as its own user, with or without ssmUser', async () => {
  if (process.geteuid?.() === 0) {
    process.seteuid?.(65_534);
    onTestFinished(() => process.seteuid?.(0));
  }
  const { session } = await world(ptyShell({ shell: 'sh', ssmUser: true }));
  await session.stdin.getWriter().write(new TextEncoder().encode('echo $((6*7)); exit 4\n'));
  expect(await outputOf(session)).toMatchObject({
    stdout: expect.stringContaining('\r\n42\r\n'),
    end: { exitCode: 4 },
  });
});
