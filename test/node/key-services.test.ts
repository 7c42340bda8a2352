import { afterEach, describe, expect, test, vi } from 'vitest';
import { readArguments } from '../../src/node/agent-program/arguments.ts';
import { nodeKeyService } from '../../src/node/agent-program/key-service.ts';
import type { NodeLocation } from '../../src/node/identity.ts';
import { pluginKeyService } from '../../src/node/plugin/key-service.ts';

const credentials = async () => ({ accessKeyId: 'AKIAUSER', secretAccessKey: 'secret-of-the-user' });
const region = 'eu-central-1';
const AWS = 'kms.eu-central-1.amazonaws.com';

afterEach(() => vi.unstubAllGlobals());

/** A network on which every call ends, and where they went. */
function network() {
  const calls: string[] = [];
  return {
    calls,
    fetch: async ({ url, headers }: Request) => {
      calls.push(`${headers.get('x-amz-target')} ${new URL(url).host}`);
      return Response.json({ __type: 'AccessDeniedException' }, { status: 400 });
    },
    connect: () => Promise.reject(new Error('nobody is there')),
  };
}

describe('the plugin asks for data keys', () => {
  test.each<[string, NodeJS.ProcessEnv, string]>([
    [
      'AWS KMS in the region, and not the service of the session',
      { AWS_ENDPOINT_URL_SSM: 'https://own.example' },
      AWS,
    ],
    ['whom the environment names', { AWS_ENDPOINT_URL_KMS: 'https://keys.example' }, 'keys.example'],
    [
      'AWS KMS by FIPS where that is asked for',
      { AWS_USE_FIPS_ENDPOINT: 'true' },
      'kms-fips.eu-central-1.amazonaws.com',
    ],
  ])('of %s', async (_, environment, host) => {
    const transport = network();
    const keys = pluginKeyService({ region, profile: 'none' }, credentials, transport, environment);
    await expect(keys.generateDataKey('alias/a', {})).rejects.toMatchObject({
      code: 'ERR_KEY_ACCESS_DENIED',
    });
    expect(transport.calls).toEqual([`TrentService.GenerateDataKey ${host}`]);
  });
});

describe('hawser-agent has data keys decrypted', () => {
  const own = 'https://own.example';
  test.each<[string, NodeLocation, string | undefined, string]>([
    ['by AWS KMS in the region', { region }, undefined, AWS],
    [
      'by AWS KMS of the kind that its node uses',
      { region, useDualstackEndpoint: true },
      undefined,
      'kms.eu-central-1.api.aws',
    ],
    [
      'by AWS KMS behind a VPC endpoint',
      { region, endpoint: { ssm: 'https://vpce-0-1.ssm.eu-central-1.vpce.amazonaws.com' } },
      undefined,
      AWS,
    ],
    [
      'by AWS KMS where its own is the message gateway alone',
      { region, endpoint: { ssmmessages: own } },
      undefined,
      AWS,
    ],
    ['by the service that made its credentials', { region, endpoint: own }, undefined, 'own.example'],
    ['by whom it was told', { region, endpoint: own }, 'https://keys.example', 'keys.example'],
  ])('%s', async (_, location, endpoint, host) => {
    const { calls, fetch } = network();
    vi.stubGlobal('fetch', fetch);
    const keys = nodeKeyService(location, credentials, endpoint);
    await expect(keys.decrypt(new Uint8Array(64), {})).rejects.toMatchObject({
      code: 'ERR_KEY_ACCESS_DENIED',
    });
    expect(calls).toEqual([`TrentService.Decrypt ${host}`]);
  });
});

test('what hawser-agent demands of sessions is told on its command line', () => {
  expect(readArguments(['run'], {})).toMatchObject({
    kmsEndpoint: undefined,
    requireEncryption: false,
    requireKmsChallenge: false,
  });
  const words = [
    'run',
    '--kms-endpoint=https://keys.example',
    '--require-encryption',
    '--require-kms-challenge',
  ];
  expect(readArguments(words, {})).toMatchObject({
    kmsEndpoint: 'https://keys.example',
    requireEncryption: true,
    requireKmsChallenge: true,
  });
});
