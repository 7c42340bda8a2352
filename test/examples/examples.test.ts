import { readdirSync } from 'node:fs';
import { virtualShell } from 'hawser/agent';
import { expect, test } from 'vitest';
import { world } from '../node/world.ts';
import { environmentOf, ROOT, run } from './run.ts';

const NO_CREDENTIALS = {
  AWS_ACCESS_KEY_ID: '',
  AWS_SECRET_ACCESS_KEY: '',
  AWS_SESSION_TOKEN: '',
  AWS_REGION: '',
  AWS_DEFAULT_REGION: '',
};

test('every example is tried here or in a file of its own', () => {
  expect(readdirSync(`${ROOT}/examples`).sort()).toEqual([
    'copy.ts',
    'demo.ts',
    'encrypted.ts',
    'exec.ts',
    'forward.ts',
    'secure-fleet.ts',
    'service.ts',
    'shell-on-aws.ts',
    'socks.ts',
    'ssh.ts',
    'virtual-node.ts',
  ]);
});

test('virtual-node tests what it says', async () => {
  const { stdout, stderr, code } = await run('virtual-node.ts');
  expect(stderr).toBe('');
  expect(stdout.toString()).toContain('tested in no time');
  expect(code).toBe(0);
});

test('encrypted shows what the service sees of a session, in the clear and encrypted', async () => {
  const { stdout, stderr, code } = await run('encrypted.ts');
  expect(stderr).toBe('');
  expect(stdout.toString()).toMatch(/^Clear: no encryption.*frames, with the secret in them\.$/ms);
  expect(stdout.toString()).toMatch(
    /^Encrypted: This session is encrypted using AWS KMS\..*without the secret/ms,
  );
  expect(code).toBe(0);
});

test('C1: secure-fleet shows who may do what, and that a change of the file takes a running session away', async () => {
  const { stdout, stderr, code } = await run('secure-fleet.ts');
  expect(stderr).toBe('');
  const text = (node: string) =>
    `jane on ${node}: StartSession was refused with AccessDeniedException: User: arn:aws:iam::111122223333:user/jane is not authorized to perform: ssm:StartSession on resource: arn:aws:ssm:eu-central-1:111122223333:managed-instance/${node} because no identity-based policy allows the ssm:StartSession action`;
  expect(stdout.toString().split('\n')).toEqual([
    'jane may start on mi-web-1, mi-web-2.',
    'bob may start on mi-web-1, mi-web-2, mi-data-1.',
    expect.stringContaining(text('mi-data-1')),
    'jane has a session on mi-web-1.',
    'It ended: AccessRevoked. Your access has ended, and your session has been terminated.',
    expect.stringContaining(text('mi-web-1')),
    '',
  ]);
  expect(code).toBe(0);
});

test('shell-on-aws says what is missing', async () => {
  const usage = await run('shell-on-aws.ts', { env: NO_CREDENTIALS });
  expect(usage).toMatchObject({ code: 2, stderr: expect.stringContaining('usage') });
  const region = await run('shell-on-aws.ts', { args: ['i-1'], env: NO_CREDENTIALS });
  expect(region).toMatchObject({ code: 2, stderr: expect.stringContaining('AWS_REGION') });
  const credentials = await run('shell-on-aws.ts', {
    args: ['i-1'],
    env: { ...NO_CREDENTIALS, AWS_REGION: 'eu-central-1' },
  });
  expect(credentials).toMatchObject({ code: 2, stderr: expect.stringContaining('AWS_ACCESS_KEY_ID') });
});

test('shell-on-aws opens a session, and tells of one it cannot open', async () => {
  const { server } = await world(virtualShell({ commands: { uname: 'Linux\n' } }));
  const env = environmentOf(server.url);
  const shell = await run('shell-on-aws.ts', {
    args: ['mi-0123456789abcdef0'],
    input: 'uname\nexit 5\n',
    env,
  });
  expect(shell.stdout.toString()).toContain('\r\nLinux\r\n');
  expect(shell).toMatchObject({ code: 5, stderr: '' });

  const unknown = await run('shell-on-aws.ts', { args: ['mi-unknown'], env });
  expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('mi-unknown is not connected') });
});
