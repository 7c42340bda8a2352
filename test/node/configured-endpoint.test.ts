import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { configuredEndpoint, endpointOfEnvironment } from '../../src/node/configured-endpoint.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

afterEach(() => vi.unstubAllEnvs());

const CONFIG = `[default]
endpoint_url = https://default.example

[profile lab]
endpoint_url = https://all.example
services = lab

[profile ignoring]
endpoint_url = https://all.example
ignore_configured_endpoint_urls = true
use_fips_endpoint = true

[services lab]
kms =
  endpoint_url = https://keys.example
`;

describe('the endpoint of KMS', () => {
  test.each<[string, string | undefined, Record<string, string>, string | undefined]>([
    [
      'its own variable',
      'lab',
      { AWS_ENDPOINT_URL_KMS: 'https://a', AWS_ENDPOINT_URL: 'https://b' },
      'https://a',
    ],
    ['the variable of all services', 'lab', { AWS_ENDPOINT_URL: 'https://b' }, 'https://b'],
    ['the services of the profile', 'lab', { AWS_ENDPOINT_URL_SSM: 'https://c' }, 'https://keys.example'],
    ['the profile of the environment', undefined, { AWS_PROFILE: 'lab' }, 'https://keys.example'],
    ['the default profile', undefined, {}, 'https://default.example'],
    ['AWS, for a profile that names none', 'unknown', {}, undefined],
    [
      'AWS, when what is configured is ignored',
      'lab',
      { AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true', AWS_ENDPOINT_URL: 'https://b' },
      undefined,
    ],
    ['AWS, for a profile that ignores it', 'ignoring', {}, undefined],
  ])('is that of %s', async (_, profile, environment, endpoint) => {
    const file = join(await temporaryDirectory(), 'config');
    writeFileSync(file, CONFIG);
    vi.stubEnv('AWS_CONFIG_FILE', file);
    expect(await configuredEndpoint('kms', profile, environment)).toMatchObject({ endpoint });
  });

  test('is one with FIPS where the profile or the environment asks for it', async () => {
    const file = join(await temporaryDirectory(), 'config');
    writeFileSync(file, CONFIG);
    vi.stubEnv('AWS_CONFIG_FILE', file);
    const dualstack = { AWS_USE_DUALSTACK_ENDPOINT: 'true' };
    expect(await configuredEndpoint('kms', 'ignoring', dualstack)).toEqual({
      endpoint: undefined,
      useFipsEndpoint: true,
      useDualstackEndpoint: true,
    });
    expect(await configuredEndpoint('kms', 'lab', {})).toMatchObject({ useFipsEndpoint: false });
  });

  test('is none in an empty environment', () => {
    expect(endpointOfEnvironment('kms', { AWS_ENDPOINT_URL_KMS: '' })).toBeUndefined();
  });
});
