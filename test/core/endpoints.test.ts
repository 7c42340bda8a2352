import { describe, expect, test } from 'vitest';
import { SessionClient } from '../../src/core/client.ts';
import {
  checkStreamUrl,
  endpointOf,
  isOfAws,
  parseEndpoint,
  partitionOf,
  type StreamHosts,
} from '../../src/core/endpoints.ts';

describe('endpoints', () => {
  test.each([
    ['ssm', 'eu-central-1', {}, 'ssm.eu-central-1.amazonaws.com'],
    ['ssmmessages', 'eu-central-1', {}, 'ssmmessages.eu-central-1.amazonaws.com'],
    ['ssm', 'us-east-1', { useFipsEndpoint: true }, 'ssm-fips.us-east-1.amazonaws.com'],
    ['ssmmessages', 'us-west-2', { useFipsEndpoint: true }, 'ssmmessages-fips.us-west-2.amazonaws.com'],
    ['ssm', 'us-gov-west-1', { useFipsEndpoint: true }, 'ssm.us-gov-west-1.amazonaws.com'],
    ['ssm', 'us-east-1', { useDualstackEndpoint: true }, 'ssm.us-east-1.api.aws'],
    ['ssm', 'us-east-1', { useDualstackEndpoint: true, useFipsEndpoint: true }, 'ssm-fips.us-east-1.api.aws'],
    ['ssm', 'cn-north-1', {}, 'ssm.cn-north-1.amazonaws.com.cn'],
    ['ssm', 'cn-north-1', { useDualstackEndpoint: true }, 'ssm.cn-north-1.api.amazonwebservices.com.cn'],
    ['ssmmessages', 'us-iso-east-1', {}, 'ssmmessages.us-iso-east-1.c2s.ic.gov'],
    ['ssm', 'us-isob-east-1', {}, 'ssm.us-isob-east-1.sc2s.sgov.gov'],
    ['ssm', 'us-isof-south-1', {}, 'ssm.us-isof-south-1.csp.hci.ic.gov'],
    ['ssm', 'eu-isoe-west-1', {}, 'ssm.eu-isoe-west-1.cloud.adc-e.uk'],
    ['ssm', 'eusc-de-east-1', {}, 'ssm.eusc-de-east-1.amazonaws.eu'],
    ['ssm', 'xx-newland-1', {}, 'ssm.xx-newland-1.amazonaws.com'],
    ['kms', 'eu-central-1', {}, 'kms.eu-central-1.amazonaws.com'],
    ['kms', 'us-gov-west-1', { useFipsEndpoint: true }, 'kms-fips.us-gov-west-1.amazonaws.com'],
  ] as const)('%s in %s %j is %s', (service, region, variant, host) => {
    expect(endpointOf(service, region, variant).href).toBe(`https://${host}/`);
  });

  test.each(['', 'eu central', 'evil.example/', 'a.b', 'x'.repeat(64)])(
    '%j cannot become part of a host name',
    (region) => {
      expect(() => partitionOf(region)).toThrow(expect.objectContaining({ code: 'ERR_REGION_INVALID' }));
      expect(
        () => new SessionClient({ region, credentials: { accessKeyId: 'a', secretAccessKey: 'b' } }),
      ).toThrow();
    },
  );

  test.each([
    'http://localhost:8080',
    'http://127.0.0.1',
    'http://127.1:99',
    'http://[::1]:1',
    'https://ssm.example',
  ])('%s is a good endpoint', (endpoint) => {
    expect(parseEndpoint(endpoint).href).toBe(new URL(endpoint).href);
  });

  test.each([
    ['http://example.com', 'ERR_ENDPOINT_INSECURE'],
    ['http://127.0.0.1.example.com', 'ERR_ENDPOINT_INSECURE'],
    ['http://localhost.example.com', 'ERR_ENDPOINT_INSECURE'],
    ['ftp://localhost', 'ERR_ENDPOINT_INVALID'],
    ['https://user:secret@example.com', 'ERR_ENDPOINT_INVALID'],
    ['example.com', 'ERR_ENDPOINT_INVALID'],
  ])('%s is refused with %s', (endpoint, code) => {
    expect(() => parseEndpoint(endpoint)).toThrow(expect.objectContaining({ code }));
  });

  test('allowInsecure lets http: leave the machine', () => {
    expect(parseEndpoint('http://service.internal', true).host).toBe('service.internal');
  });

  test('no refusal quotes a password', () => {
    expect(() => parseEndpoint('https://user:hunter2@example.com')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
    );
  });
});

/** CONTROL-PLANE.md section 5.3. */
describe('D7: in every partition', () => {
  describe.each([
    ['aws', 'mx-central-1', 'amazonaws.com', 'api.aws'],
    ['aws', 'ca-west-1', 'amazonaws.com', 'api.aws'],
    ['aws', 'il-central-1', 'amazonaws.com', 'api.aws'],
    ['aws-cn', 'cn-northwest-1', 'amazonaws.com.cn', 'api.amazonwebservices.com.cn'],
    ['aws-us-gov', 'us-gov-east-1', 'amazonaws.com', 'api.aws'],
    ['aws-iso', 'us-iso-west-1', 'c2s.ic.gov', 'api.aws.ic.gov'],
    ['aws-iso-b', 'us-isob-west-1', 'sc2s.sgov.gov', 'api.aws.scloud'],
    ['aws-iso-e', 'eu-isoe-west-1', 'cloud.adc-e.uk', 'api.cloud-aws.adc-e.uk'],
    ['aws-iso-f', 'us-isof-east-1', 'csp.hci.ic.gov', 'api.aws.hci.ic.gov'],
    ['aws-eusc', 'eusc-de-east-1', 'amazonaws.eu', 'api.amazonwebservices.eu'],
  ])('%s, %s', (id, region, dns, dual) => {
    const host = (service: 'ssm' | 'ssmmessages', useFipsEndpoint: boolean, useDualstackEndpoint: boolean) =>
      endpointOf(service, region, { useFipsEndpoint, useDualstackEndpoint }).host;

    test('D7: each service has its names', () => {
      expect(partitionOf(region).id).toBe(id);
      const fips = id === 'aws-us-gov' ? 'ssm' : 'ssm-fips'; // there it is FIPS by itself
      expect(host('ssm', false, false)).toBe(`ssm.${region}.${dns}`);
      expect(host('ssm', true, false)).toBe(`${fips}.${region}.${dns}`);
      expect(host('ssm', false, true)).toBe(`ssm.${region}.${dual}`);
      expect(host('ssm', true, true)).toBe(`ssm-fips.${region}.${dual}`);
      expect(host('ssmmessages', false, false)).toBe(`ssmmessages.${region}.${dns}`);
      expect(host('ssmmessages', true, false)).toBe(`ssmmessages-fips.${region}.${dns}`);
      expect(host('ssmmessages', false, true)).toBe(`ssmmessages.${region}.${dual}`);
      expect(host('ssmmessages', true, true)).toBe(`ssmmessages-fips.${region}.${dual}`);
    });

    test('D7: streams may lead to its message gateways, and to private endpoints of them', () => {
      for (const name of [
        `ssmmessages.${region}.${dns}`,
        `ssmmessages-fips.${region}.${dns}`,
        `ssmmessages.${region}.${dual}`,
        `vpce-0a1b2c3d-4e5f6a7b.ssmmessages.${region}.vpce.${dns}`,
        `vpce-0a1b2c3d-4e5f6a7b-${region}a.ssmmessages.${region}.vpce.${dns}`,
      ]) {
        expect(() => checkStreamUrl(`wss://${name}/v1/data-channel/a`)).not.toThrow();
      }
      for (const name of [
        `ssmmessages.${region}.${dns}.example`,
        `ssm.${region}.${dns}`,
        `vpce-1.ssm.${region}.vpce.${dns}`,
        `vpce-1.ssmmessages.${region}.vpce.example.com`,
      ]) {
        expect(() => checkStreamUrl(`wss://${name}/v1/data-channel/a`)).toThrow(
          expect.objectContaining({ code: 'ERR_STREAM_URL_REFUSED' }),
        );
      }
    });
  });
});

describe('stream URLs', () => {
  const custom: StreamHosts = { endpoint: new URL('https://console.example:8443') };
  const local: StreamHosts = { endpoint: new URL('http://127.0.0.1:8080') };

  test.each<[string, StreamHosts]>([
    ['wss://ssmmessages.us-east-1.amazonaws.com/v1/data-channel/a?role=publish_subscribe&cell-number=AA', {}],
    ['wss://ssmmessages-fips.us-east-1.amazonaws.com/v1/data-channel/a', {}],
    ['wss://ssmmessages.us-east-1.api.aws/', {}],
    ['wss://ssmmessages.cn-north-1.amazonaws.com.cn/', {}],
    ['wss://vpce-0123-abc.ssmmessages.eu-west-1.vpce.amazonaws.com/', {}],
    ['wss://console.example/v1/data-channel/a', custom],
    ['ws://127.0.0.1:9090/', local],
    ['ws://localhost:8080/', local],
    ['wss://relay.example/', { allowedStreamHosts: ['Relay.Example'] }],
    ['wss://relay.example/', { allowedStreamHosts: ['relay.example:443'] }],
    ['ws://relay.example:81/', { allowedStreamHosts: ['relay.example:81'], allowInsecure: true }],
  ])('%s may be opened', (url, hosts) => {
    expect(() => checkStreamUrl(url, hosts)).not.toThrow();
  });

  test.each<[string, StreamHosts]>([
    ['wss://evil.example/', {}],
    ['wss://ssmmessages.us-east-1.amazonaws.com.evil.example/', {}],
    ['wss://ssmmessages.us-east-1.amazonaws.com:8443/', {}],
    ['wss://ssm.us-east-1.amazonaws.com/', {}],
    ['wss://ssmmessages.us-east-1.amazonaws.com.cn/', {}],
    ['wss://vpce-1.ssmmessages.us-east-1.amazonaws.com/', {}],
    ['wss://evil.ssmmessages.us-east-1.amazonaws.com/', {}],
    ['https://ssmmessages.us-east-1.amazonaws.com/', {}],
    ['wss://user:pw@ssmmessages.us-east-1.amazonaws.com/', {}],
    ['wss://evil.example/', custom],
    ['ws://127.0.0.1:9090/', {}],
    ['wss://relay.example:444/', { allowedStreamHosts: ['relay.example:443'] }],
    [`wss://ssmmessages.${'x'.repeat(64)}.amazonaws.com/`, {}],
    ['nonsense', {}],
  ])('%s is refused', (url, hosts) => {
    expect(() => checkStreamUrl(url, hosts)).toThrow(
      expect.objectContaining({ code: 'ERR_STREAM_URL_REFUSED' }),
    );
  });

  test('ws: does not leave the machine', () => {
    expect(() => checkStreamUrl('ws://ssmmessages.us-east-1.amazonaws.com/')).toThrow(
      expect.objectContaining({ code: 'ERR_ENDPOINT_INSECURE' }),
    );
  });
});

test.each([
  ['https://ssm.eu-central-1.amazonaws.com', true],
  ['https://ssm.cn-north-1.amazonaws.com.cn', true],
  ['https://ssm.eu-central-1.api.aws', true],
  ['https://vpce-0123-abcd.ssm.eu-central-1.vpce.amazonaws.com', true],
  ['https://sessions.example', false],
  ['https://notamazonaws.com', false],
  ['https://amazonaws.com.example', false],
])('whether %s is of AWS: %s', (url, ofAws) => {
  expect(isOfAws(new URL(url))).toBe(ofAws);
});
