import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { AWS, missing } from '../aws-cli/world.ts';
import { PLUGIN } from '../node/plugin-world.ts';
import { Collector } from '../node/world.ts';
import { ROOT, start } from './run.ts';

const AGENT = ['scripts/run.mjs', 'src/bin/hawser-agent.ts'];

// What README and docs/aws-cli.md tell a new user to do, with a machine, a service and the AWS CLI.
describe.skipIf(missing)('a service of one’s own', { timeout: 90_000 }, () => {
  test('makes activations, a machine registers with one, and the AWS CLI gets a shell on it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hawser-service-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const service = start('service.ts', [join(folder, 'service'), '0']);
    const said = new Collector();
    service.stdout!.pipe(said);
    await said.until('start-session --target mi-…');
    const endpoint = /The service is at (\S+)\. /.exec(said.text)![1]!;
    // As a shell would: the lines that begin with `export`.
    const exported = Object.fromEntries(
      [...said.text.matchAll(/^ +export (.*)$/gm)].flatMap(([, words]) =>
        words!.split(' ').map((word) => word.split(/=(.*)/s).slice(0, 2)),
      ),
    );
    writeFileSync(
      join(folder, 'session-manager-plugin'),
      `#!/bin/sh\nexec ${PLUGIN.map((word) => `'${word}'`).join(' ')} "$@"\n`,
      { mode: 0o755 },
    );
    const env = {
      ...process.env,
      ...exported,
      PATH: `${folder}${delimiter}${process.env.PATH}`,
      AWS_PAGER: '',
    };
    const aws = async (...words: string[]) => {
      const { stdout } = await promisify(execFile)(AWS, ['--endpoint-url', endpoint, 'ssm', ...words], {
        env,
      });
      return JSON.parse(stdout);
    };

    const { ActivationId, ActivationCode } = await aws('create-activation', '--iam-role', 'Nodes');
    const directory = ['--directory', join(folder, 'node')];
    const register = ['register', '--activation-id', ActivationId, '--region', 'eu-central-1'];
    await promisify(execFile)(
      process.execPath,
      [...AGENT, ...register, '--endpoint', endpoint, ...directory],
      { cwd: ROOT, env: { ...env, HAWSER_ACTIVATION_CODE: ActivationCode } },
    );
    // Not as ssm-user, who would have to be made on the machine of the tests.
    const run = ['run', '--own-user', ...directory];
    const agent = spawn(process.execPath, [...AGENT, ...run], { cwd: ROOT, env });
    onTestFinished(() => {
      agent.kill('SIGKILL');
    });
    agent.stderr.pipe(said);
    await said.until('is connected.');

    const { InstanceInformationList } = await aws('describe-instance-information');
    const [{ InstanceId, PingStatus }] = InstanceInformationList;
    expect(InstanceId).toMatch(/^mi-[0-9a-f]{17}$/);
    expect(PingStatus).toBe('Online');
    expect(await aws('get-connection-status', '--target', InstanceId)).toMatchObject({ Status: 'connected' });

    const session = spawn(AWS, ['--endpoint-url', endpoint, 'ssm', 'start-session', '--target', InstanceId], {
      env,
    });
    const shell = new Collector();
    session.stdout.pipe(shell);
    session.stdin.end('echo $((6*7)); exit\n');
    await shell.until('Exiting session with sessionId: ');
    expect(shell.text).toContain('42\r\n');
  });
});
