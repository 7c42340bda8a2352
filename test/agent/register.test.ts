import { type RegisterOptions, registerManagedInstance } from 'hawser/agent';
import { memoryTransport, seededRandom, VirtualClock } from 'hawser/testing';
import { describe, expect, test } from 'vitest';
import { FINGERPRINT, INSTANCE_ID, KEYS, REGION, ScriptedService } from './scripted-service.ts';

const ACTIVATION = {
  activationId: '4f1a6f9e-2a51-4a06-8b63-6f3a5a4d6b11',
  activationCode: 'abcdefghij0123456789',
};

function setUp(options: Partial<RegisterOptions> = {}) {
  const clock = new VirtualClock();
  const service = new ScriptedService(clock, KEYS[0]!.publicKey);
  const urls: string[] = [];
  const transport = memoryTransport(service, {
    clock,
    fault: ({ url }) => {
      urls.push(url);
      return undefined;
    },
  });
  const register = () =>
    clock.runUntil(
      registerManagedInstance({
        ...ACTIVATION,
        region: REGION,
        key: KEYS[0]!,
        fingerprint: FINGERPRINT,
        endpoint: 'http://service.localhost',
        platform: { clock, random: seededRandom(1), transport },
        ...options,
      }),
    );
  return { clock, service, urls, register };
}

describe('registerManagedInstance', () => {
  test('sends what the real agent sends, unsigned, and answers the id of the node', async () => {
    const { service, register } = setUp();
    expect(await register()).toBe(INSTANCE_ID);
    const [{ headers, input }] = service.named('RegisterManagedInstance') as [(typeof service.calls)[0]];
    expect(JSON.stringify(input)).toBe(
      JSON.stringify({
        ActivationCode: ACTIVATION.activationCode,
        ActivationId: ACTIVATION.activationId,
        Fingerprint: FINGERPRINT,
        PublicKey: KEYS[0]!.publicKey,
        PublicKeyType: 'Rsa',
      }),
    );
    expect(KEYS[0]!.publicKey).toHaveLength(392);
    expect(headers.get('content-type')).toBe('application/x-amz-json-1.1');
    for (const name of ['authorization', 'x-amz-date']) expect(headers.has(name), name).toBe(false);
  });

  test.each(['InvalidActivation', 'InvalidActivationId'])('says what to do after %s', async (type) => {
    const { service, register } = setUp();
    service.before = () => service.refuse(type);
    await expect(register()).rejects.toMatchObject({
      code: 'ERR_ACTIVATION_INVALID',
      type,
      message: expect.stringMatching(/Check its id, its code and the region.*create another/),
    });
    expect(service.calls).toHaveLength(1);
  });

  test('does not tell the activation code in its errors', async () => {
    const { service, register } = setUp();
    service.before = () => service.refuse('InvalidActivation', 'no');
    const error = await register().catch((error: Error) => error);
    expect(JSON.stringify([error, String(error)])).not.toContain(ACTIVATION.activationCode);
  });

  test.each<[string, (service: ScriptedService) => Response | Error]>([
    ['a service that is busy', (service) => service.refuse('TooManyUpdates')],
    ['a network that breaks', () => new Error('reset')],
    ['an error of the service', (service) => service.refuse('InternalServerError', '', 500)],
  ])('waits for %s, ever longer', async (_, trouble) => {
    const { service, register } = setUp();
    service.before = () => (service.calls.length < 6 ? trouble(service) : undefined);
    expect(await register()).toBe(INSTANCE_ID);
    expect(service.calls).toHaveLength(6);
  });

  test('gives up after six tries', async () => {
    const { service, register } = setUp();
    service.before = () => service.refuse('TooManyUpdates');
    await expect(register()).rejects.toMatchObject({ code: 'ERR_THROTTLED' });
    expect(service.calls).toHaveLength(6);
  });

  test.each(['', '../../etc', 7, undefined])('takes no id like %s', async (InstanceId) => {
    const { service, register } = setUp();
    service.before = () => ({ InstanceId });
    await expect(register()).rejects.toMatchObject({ code: 'ERR_RESPONSE_UNREADABLE' });
  });

  test.each<[string, Partial<RegisterOptions>, string]>([
    ['one endpoint', { endpoint: 'https://hawser.example:8443' }, 'https://hawser.example:8443/'],
    ['an endpoint for the API', { endpoint: { ssm: 'https://a.example' } }, 'https://a.example/'],
    [
      'an endpoint for the gateway only',
      { endpoint: { ssmmessages: 'https://b.example' } },
      'https://ssm.eu-central-1.amazonaws.com/',
    ],
    [
      'the partition',
      { endpoint: undefined, region: 'cn-north-1' },
      'https://ssm.cn-north-1.amazonaws.com.cn/',
    ],
    ['FIPS', { endpoint: undefined, useFipsEndpoint: true }, 'https://ssm-fips.eu-central-1.amazonaws.com/'],
    ['dual stack', { endpoint: undefined, useDualstackEndpoint: true }, 'https://ssm.eu-central-1.api.aws/'],
  ])('goes by %s', async (_, options, url) => {
    const { urls, register } = setUp(options);
    await register();
    expect(urls).toEqual([url]);
  });

  test('does not send the code in the clear to another machine', async () => {
    const { service, register } = setUp({ endpoint: 'http://other.example' });
    await expect(register()).rejects.toMatchObject({ code: 'ERR_ENDPOINT_INSECURE' });
    expect(service.calls).toEqual([]);
  });
});
