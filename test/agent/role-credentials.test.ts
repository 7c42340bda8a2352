import { roleCredentials } from 'hawser/agent';
import { memoryTransport, seededRandom, VirtualClock } from 'hawser/testing';
import { describe, expect, test } from 'vitest';
import {
  FINGERPRINT,
  INSTANCE_ID,
  KEYS,
  MemoryIdentity,
  REGION,
  ScriptedService,
} from './scripted-service.ts';

const MINUTE = 60_000;
const HOUR = 3_600_000;

function setUp(identity = new MemoryIdentity()) {
  const clock = new VirtualClock();
  const service = new ScriptedService(clock, KEYS[0]!.publicKey);
  const rotations: (Error | undefined)[] = [];
  /** The agent starts anew, with what is saved. */
  const start = () => {
    const provider = roleCredentials({
      identity,
      region: REGION,
      endpoint: 'http://service.localhost',
      onKeyRotation: (error) => rotations.push(error),
      platform: {
        clock,
        random: seededRandom(1),
        transport: memoryTransport(service, { clock, latency: 1 }),
      },
    });
    return async (options?: Parameters<typeof provider>[0]) => {
      const { accessKeyId } = await clock.runUntil(provider(options));
      return accessKeyId;
    };
  };
  return { clock, service, identity, rotations, start, get: start() };
}

describe('the credentials of the role', () => {
  test('are asked for as the real agent does, signed by the key of the node', async () => {
    const { service, get } = setUp();
    expect(await get()).toBe('ASIAROLE0');
    expect(service.calls).toHaveLength(1);
    const [{ operation, input, headers }] = service.calls as [(typeof service.calls)[0]];
    expect([operation, input]).toEqual(['RequestManagedInstanceRoleToken', { Fingerprint: FINGERPRINT }]);
    expect(headers.get('authorization')).toMatch(
      new RegExp(
        `^AWS4-HMAC-SHA256 Credential=${INSTANCE_ID}/20260101/${REGION}/ssm/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=[A-Za-z0-9+/]{342}==$`,
      ),
    );
  });

  test('are kept for half their life, and then replaced while they are used', async () => {
    const { clock, service, get } = setUp();
    await get();
    await clock.advance(HOUR / 2 - 1000);
    expect(await get()).toBe('ASIAROLE0');
    expect(service.calls).toHaveLength(1);
    await clock.advance(1000);
    expect(await get()).toBe('ASIAROLE0');
    await clock.advance(10);
    expect(await get()).toBe('ASIAROLE1');
    expect(service.calls).toHaveLength(2);
  });

  test('are asked for once, however many need them', async () => {
    const { clock, service, get } = setUp();
    expect(await Promise.all([get(), get(), get()])).toEqual(['ASIAROLE0', 'ASIAROLE0', 'ASIAROLE0']);
    await clock.advance(2 * HOUR);
    expect(await Promise.all([get(), get()])).toEqual(['ASIAROLE1', 'ASIAROLE1']);
    expect(service.calls).toHaveLength(2);
  });

  test('are good to their end when no others are to be had, and asked for with patience', async () => {
    const { clock, service, get } = setUp();
    await get();
    service.before = () => service.refuse('InternalServerError', '', 500);
    const until = clock.now() + HOUR;
    while (clock.now() < until - MINUTE) {
      expect(await get()).toBe('ASIAROLE0');
      await clock.advance(5_000);
    }
    const refreshes = service.calls.length / 3; // each tried three times
    expect(refreshes).toBeGreaterThan(20);
    expect(refreshes).toBeLessThan(100);
    await clock.advance(MINUTE);
    await expect(get()).rejects.toMatchObject({ code: 'ERR_SERVICE' });
    service.before = () => undefined;
    await clock.advance(MINUTE);
    expect(await get()).toBe('ASIAROLE1');
  });

  test('are not asked for in a hot loop when there are none', async () => {
    const { clock, service, get } = setUp();
    service.before = () => service.refuse('InvalidInstanceId');
    for (let second = 0; second < 600; second++) {
      await expect(get()).rejects.toMatchObject({ type: 'InvalidInstanceId' });
      await clock.advance(1000);
    }
    expect(service.calls.length).toBeLessThan(60);
  });

  test('are asked for anew when the service has refused them, but not again at once', async () => {
    const { clock, service, get } = setUp();
    await get();
    expect(await get({ forceRefresh: true })).toBe('ASIAROLE0');
    await clock.advance(MINUTE);
    expect(await get({ forceRefresh: true })).toBe('ASIAROLE1');
    expect(await get({ forceRefresh: true })).toBe('ASIAROLE1');
    expect(service.calls).toHaveLength(2);
  });

  test('say what is wrong when the identity is that of another machine', async () => {
    const { service, get } = setUp();
    service.before = () => service.refuse('MachineFingerprintDoesNotMatch');
    await expect(get()).rejects.toMatchObject({
      code: 'ERR_FINGERPRINT',
      message: expect.stringContaining('was it copied?'),
    });
  });

  test.each([
    {},
    { AccessKeyId: 'A', SecretAccessKey: 's', SessionToken: 't' },
    { AccessKeyId: 'A', SecretAccessKey: 's', SessionToken: 't', TokenExpirationDate: 'soon' },
    { AccessKeyId: 'A', SecretAccessKey: 's', SessionToken: '', TokenExpirationDate: 1 },
  ])('are not made of an answer like %j', async (answer) => {
    const { service, get } = setUp();
    service.before = () => answer;
    await expect(get()).rejects.toMatchObject({ code: 'ERR_RESPONSE_UNREADABLE' });
  });

  test.each([-HOUR, 0, 1e300])(
    'that expire after %d ms are kept for a minute at least, and a day at most',
    async (life) => {
      const { clock, service, get } = setUp();
      service.life = life;
      await get();
      await clock.advance(29_000);
      expect(await get()).toBe('ASIAROLE0');
      expect(service.calls).toHaveLength(1);
      await clock.advance(24 * HOUR);
      expect(await get()).toBe('ASIAROLE1');
    },
  );
});

describe('a clock that is wrong', () => {
  test.each([-6 * HOUR, 6 * HOUR])(
    'by %d ms is corrected by the first refusal, for signatures and for expiry',
    async (ahead) => {
      const { clock, service, get } = setUp();
      service.ahead = ahead;
      expect(await get()).toBe('ASIAROLE0');
      expect(service.calls).toHaveLength(2);
      await clock.advance(HOUR / 2 - MINUTE);
      expect(await get()).toBe('ASIAROLE0');
      expect(service.calls).toHaveLength(2);
      await clock.advance(HOUR / 2 + MINUTE + 2000);
      expect(await get()).toBe('ASIAROLE1');
      expect(service.calls).toHaveLength(3);
    },
  );

  test.each([-6 * HOUR, 6 * HOUR])('that jumps by %d ms costs no more than a refusal', async (jump) => {
    const { clock, service, get } = setUp();
    await get();
    clock.jump(jump);
    service.ahead -= jump; // the service's own does not
    await get();
    await clock.advance(HOUR);
    await get();
    await clock.advance(HOUR / 2);
    await get();
    await clock.advance(MINUTE);
    expect(service.calls.length).toBeLessThan(6);
    expect(clock.pending).toBe(0);
  });

  test('is found out while the network breaks, and the next try is not put off by the difference', async () => {
    const { clock, service, get } = setUp();
    service.ahead = -6 * HOUR;
    service.before = () => (service.calls.length > 1 ? new Error('reset') : undefined);
    await expect(get()).rejects.toThrow();
    service.before = () => undefined;
    await clock.advance(MINUTE);
    expect(await get()).toBe('ASIAROLE0');
  });

  test('that jumps while the service is out of reach does not stop the tries', async () => {
    const { clock, service, get } = setUp();
    service.before = () => new Error('unreachable');
    await expect(get()).rejects.toThrow();
    clock.jump(-6 * HOUR);
    service.ahead += 6 * HOUR;
    service.before = () => undefined;
    await get().catch(() => {}); // which is when the jump is seen
    await clock.advance(MINUTE);
    expect(await get()).toBe('ASIAROLE0');
  });
});

describe('the rotation of the key', () => {
  async function rotating() {
    const made = setUp();
    made.service.updateKeyPair = true;
    return made;
  }

  test('sends a new key, signed by the old one, and goes on with it', async () => {
    const { clock, service, identity, rotations, get } = await rotating();
    await get();
    await clock.advance(10);
    expect(service.named('UpdateManagedInstancePublicKey').map(({ input }) => input)).toEqual([
      { NewPublicKey: KEYS[1]!.publicKey, NewPublicKeyType: 'Rsa' },
    ]);
    expect(identity.saved).toEqual({ current: 1, pending: undefined });
    expect(rotations).toEqual([undefined]);
    await clock.advance(HOUR);
    expect(await get()).toBe('ASIAROLE1');
    expect(service.calls).toHaveLength(3);
  });

  /** Where it is cut short, and what the service and the disk have by then. */
  const cuts: [string, (made: ReturnType<typeof setUp>) => void][] = [
    [
      'before the new key is saved',
      ({ identity }) => {
        identity.fault = (step) => (step === 'create' ? new Error('disk full') : undefined);
      },
    ],
    [
      'before the service is told',
      ({ service }) => {
        service.before = ({ operation }) =>
          operation === 'UpdateManagedInstancePublicKey' ? new Error('reset') : undefined;
      },
    ],
    [
      'by a refusal',
      ({ service }) => {
        service.before = ({ operation }) =>
          operation === 'UpdateManagedInstancePublicKey' ? service.refuse('InvalidParameters') : undefined;
      },
    ],
    [
      'when the service has the key and its answer is lost',
      ({ service }) => {
        service.after = ({ operation }) =>
          operation === 'UpdateManagedInstancePublicKey' ? new Error('reset') : undefined;
      },
    ],
    [
      'when the service has the key and it cannot be made the current one',
      ({ identity }) => {
        identity.fault = (step) => (step === 'promote' ? new Error('disk full') : undefined);
      },
    ],
  ];

  describe.each(cuts)('cut short %s', (_, cut) => {
    test.each(['the agent goes on', 'the agent starts anew'])('loses nothing when %s', async (then) => {
      const made = await rotating();
      const { clock, service, identity, rotations, start } = made;
      cut(made);
      const first = start();
      expect(await first()).toBe('ASIAROLE0'); // good, whatever becomes of the key
      await clock.advance(30_000);
      expect(rotations).toEqual([expect.any(Error)]);
      service.before = service.after = () => undefined;
      identity.fault = undefined;
      const next = then === 'the agent goes on' ? first : start();
      await clock.advance(HOUR);
      expect(await next()).toBe('ASIAROLE1');
      await clock.advance(30_000);
      expect(identity).toMatchObject({ created: 1, saved: { current: 1, pending: undefined } });
      expect(service.publicKey).toBe(KEYS[1]!.publicKey);
      expect(rotations).toEqual([expect.any(Error), undefined]);
      await clock.advance(HOUR);
      expect(await next()).toBe('ASIAROLE2');
    });
  });

  test('under way, is waited for before the service is asked again', async () => {
    const { clock, service, identity, get } = await rotating();
    service.life = MINUTE;
    let finish = () => {};
    service.before = ({ operation }) =>
      operation === 'UpdateManagedInstancePublicKey'
        ? new Promise((resolve) => {
            finish = () => resolve(new Error('reset'));
          })
        : undefined;
    await get();
    await clock.advance(MINUTE / 2 + 1000);
    await get();
    await clock.advance(1000);
    expect(service.named('RequestManagedInstanceRoleToken')).toHaveLength(1);
    service.before = () => undefined;
    finish();
    await clock.advance(MINUTE);
    expect(service.named('RequestManagedInstanceRoleToken')).toHaveLength(2);
    expect(identity.saved.current).toBe(1);
  });

  test('is not taken for a wrong key when both are refused', async () => {
    const { service, identity, get } = setUp();
    identity.saved = { current: 0, pending: 1 };
    service.publicKey = KEYS[2]!.publicKey;
    await expect(get()).rejects.toMatchObject({ type: 'InvalidSignatureException' });
    expect(service.calls).toHaveLength(2);
    expect(identity.saved).toEqual({ current: 0, pending: 1 });
  });

  test('does not try the other key for the network', async () => {
    const { service, identity, get } = setUp();
    identity.saved = { current: 0, pending: 1 };
    service.before = () => new Error('reset');
    await expect(get()).rejects.toMatchObject({ code: 'ERR_REQUEST_FAILED' });
    expect(service.calls).toHaveLength(3);
  });
});
