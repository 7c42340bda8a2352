import { describe, expect, test } from 'vitest';
import { connectTo, destination, readAll } from '../node/port-world.ts';
import { CLIS, encryptedFleet, jane } from './encrypted-world.ts';
import { AWS, missing } from './world.ts';

const COMMAND = '--document-name=AWS-StartNonInteractiveCommand';
const PORT = '--document-name=AWS-StartPortForwardingSession';
/** What the CLI exits with when its plugin failed, whatever the status was. */
const FAILED = 255;
const ENCRYPTED = 'This session is encrypted using AWS KMS.\n';

// A machine without the AWS CLI can try everything else; CI installs it.
describe.skipIf(missing)('an encrypted fleet without an AWS account', { timeout: 120_000 }, () => {
  test.each(CLIS)(
    'by %s: shells and commands are encrypted, ports are not, and nothing secret is printed',
    async (aws) => {
      const { agent, start, secrets, printed } = await encryptedFleet({ aws });
      await agent();

      const shell = start();
      shell.child.stdin!.end('echo $((6*7)); exit 3\n');
      expect(await shell.exited).toBe(FAILED);
      expect(shell.stdout.text).toContain(ENCRYPTED);
      expect(shell.stdout.text).toContain('42\r\n');
      expect(shell.stderr.text).toContain('returned non-zero exit status 3.');
      expect(secrets.count('data key')).toBe(1);

      const command = start([
        COMMAND,
        '--parameters',
        '{"command":["sh -c \'echo out; echo err >&2; exit 7\'"]}',
      ]);
      expect(await command.exited).toBe(FAILED);
      expect(command.stdout.text).toContain(`${ENCRYPTED}out\n`);
      expect(command.stderr.text).toMatch(/^err\n/);
      expect(command.stderr.text).toContain('returned non-zero exit status 7.');
      expect(secrets.count('data key')).toBe(2);

      const portNumber = await destination((socket) => socket.pipe(socket));
      const port = start([PORT, '--parameters', `portNumber=${portNumber},localPortNumber=0`]);
      await port.stdout.until('\nPort ');
      const socket = await connectTo(Number.parseInt(await port.stdout.until(' opened for sessionId '), 10));
      socket.end('through the fleet');
      expect((await readAll(socket)).toString()).toBe('through the fleet');
      process.kill(-port.child.pid!, 'SIGINT');
      expect(await port.exited).toBe(0);
      expect(port.stdout.text).not.toContain(ENCRYPTED);
      expect(secrets.count('data key')).toBe(2);

      for (const kind of ['TokenValue', 'SecretAccessKey', 'SessionToken', 'signature']) {
        expect(secrets.count(kind), kind).toBeGreaterThan(0);
      }
      // Older CLIs print the answer of StartSession, a used token and all, when their plugin exits with a status.
      const ours = printed().replaceAll(/Command '\['session-manager-plugin', .*\]' returned/g, '');
      expect(secrets.foundIn(ours)).toEqual([]);
    },
  );

  test('a key that the user may not use ends the session, with the reason', async () => {
    const { agent, start, secrets, printed, target } = await encryptedFleet({
      aws: AWS,
      policy: ({ principal }) =>
        principal.arn === jane.arn
          ? { effect: 'ExplicitDeny', policyType: 'resource-based policy' }
          : { effect: 'Allow' },
    });
    await agent('--require-encryption', '--require-kms-challenge');
    const { stdout, stderr, exited } = start([], { HAWSER_QUIET: '1' });
    expect(await exited).toBe(FAILED);
    expect(stdout.text).toBe('');
    expect(stderr.text).toContain('Cannot perform start session: ');
    expect(stderr.text).toContain('kms:GenerateDataKey');
    expect(stderr.text).toMatch(
      /\(encryption context: aws:ssm:SessionId=jane-\w+, aws:ssm:TargetId=mi-\w+, aws:ssm:RandomChallenge \(not shown\)\)/,
    );
    expect(stderr.text).toContain(target);
    expect(secrets.foundIn(stdout.text)).toEqual([]);
    expect(printed()).toContain('KMSEncryption failed on client with status 2');

    const port = start([PORT, '--parameters', 'portNumber=80,localPortNumber=0']);
    expect(await port.exited).toBe(FAILED);
    expect(printed()).toMatch(/session refused: .* runs encrypted sessions only\./);
  });

  test('a CLI that is too old for encryption is told so, in the words of AWS', async () => {
    const { agent, startAsOldCli, secrets, printed } = await encryptedFleet({ aws: AWS });
    await agent();
    const { stdout, exited } = await startAsOldCli();
    expect(await exited).toBe(1);
    expect(stdout.text).toContain(
      'Cannot perform start session: Installed version of CLI does not support Session Manager encryption feature.',
    );
    expect(secrets.count('data key')).toBe(0);
    expect(secrets.foundIn(printed())).toEqual([]);
  });
});
