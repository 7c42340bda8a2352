import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { hostingAt } from '../kms/hosted.ts';
import { CONTEXT, JANE, localKeys, REGION } from '../kms/world.ts';
import { AWS, type Called, missing } from './world.ts';

/** Keys at a service, and the AWS CLI for jane. */
async function kmsWorld() {
  const folder = await mkdtemp(join(tmpdir(), 'hawser-kms-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const keys = localKeys();
  const { arn } = await keys.createKey({ aliases: ['alias/sessions'] });
  const url = await hostingAt(keys);
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    AWS_ACCESS_KEY_ID: JANE.accessKeyId,
    AWS_SECRET_ACCESS_KEY: JANE.secretAccessKey,
    AWS_DEFAULT_REGION: REGION,
    AWS_PAGER: '',
    LC_ALL: 'C.UTF-8',
  };
  const kms = (...words: readonly string[]) =>
    new Promise<Called>((resolve) => {
      execFile(AWS, ['kms', ...words, '--endpoint-url', url], { env }, (error, stdout, stderr) => {
        resolve({ status: error ? Number(error.code) : 0, stdout, stderr });
      });
    });
  /** As an argument: the two versions of the CLI read blobs from files alike. */
  const blob = async (base64: string) => {
    const path = join(folder, 'blob');
    await writeFile(path, base64, 'base64');
    return `fileb://${path}`;
  };
  return { keys, arn, kms, blob };
}

const context = (members: object) => ['--encryption-context', JSON.stringify(members)];

// A machine without the AWS CLI can try everything else; CI installs it.
describe.skipIf(missing)('aws kms', { timeout: 60_000 }, () => {
  test('generates data keys, decrypts them, and describes their key', async () => {
    const { arn, kms, blob } = await kmsWorld();
    const words = ['--key-id', 'alias/sessions', '--number-of-bytes', '64', ...context(CONTEXT)];
    const generated = await kms('generate-data-key', ...words);
    expect(generated.stderr).toBe('');
    const { CiphertextBlob, Plaintext, KeyId } = JSON.parse(generated.stdout);
    expect(KeyId).toBe(arn);
    expect(atob(Plaintext)).toHaveLength(64);

    const ciphertext = ['--ciphertext-blob', await blob(CiphertextBlob)];
    const decrypted = await kms('decrypt', ...ciphertext, '--key-id', arn, ...context(CONTEXT));
    expect(decrypted.stderr).toBe('');
    expect(JSON.parse(decrypted.stdout)).toEqual({
      KeyId: arn,
      Plaintext,
      EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    });

    const described = await kms('describe-key', '--key-id', 'alias/sessions');
    expect(JSON.parse(described.stdout).KeyMetadata).toMatchObject({ Arn: arn, KeyState: 'Enabled' });
  });

  test('is told what is wrong, in the words of KMS', async () => {
    const { keys, arn, kms, blob } = await kmsWorld();
    const size = ['--number-of-bytes', '64'];
    const generated = await kms('generate-data-key', '--key-id', arn, ...size, ...context(CONTEXT));
    const ciphertext = ['--ciphertext-blob', await blob(JSON.parse(generated.stdout).CiphertextBlob)];
    const refused = async (...words: string[]) => {
      const { status, stderr } = await kms(...words);
      expect(status).not.toBe(0);
      return stderr;
    };
    expect(await refused('decrypt', ...ciphertext)).toContain(
      'An error occurred (InvalidCiphertextException) when calling the Decrypt operation: ',
    );
    expect(await refused('generate-data-key', '--key-id', 'alias/none', ...size)).toContain(
      `An error occurred (NotFoundException) when calling the GenerateDataKey operation: Alias ${arn.replace(/key\/.*/, 'alias/none')} is not found.`,
    );
    await keys.disableKey(arn);
    expect(await refused('generate-data-key', '--key-id', arn, ...size)).toContain(
      `An error occurred (DisabledException) when calling the GenerateDataKey operation: ${arn} is disabled.`,
    );
  });
});
