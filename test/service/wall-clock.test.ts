/** The clock of the service's own machine is wrong, and is set right while it runs. */
import { describe, expect, test } from 'vitest';
import { activate, Machine } from './machine.ts';
import { world } from './world.ts';

const HOUR = 3_600_000;

describe.each([
  ['back', -HOUR],
  ['forward', HOUR],
])('when the clock of the service is set %s', (_, jump) => {
  test('callers whose clocks are right are known', async () => {
    const w = world();
    const machine = await new Machine(w).register(await activate(w));
    w.clock.jump(jump);
    // Those that were right before are not.
    expect((await machine.tryRoleToken({ now: w.clock.now() - jump })).body.__type).toBe(
      'InvalidSignatureException',
    );
    const { credentials } = await machine.roleToken();
    expect((await machine.ping(credentials)).status).toBe(200);
    expect((await w.call('DescribeSessions', { State: 'Active' })).status).toBe(200);
  });

  test('its answers say the time by which it judges', async () => {
    const w = world();
    w.clock.jump(jump);
    const { headers } = await w.service.fetch(new Request('http://service.localhost/', { method: 'POST' }));
    expect(headers.get('date')).toBe(new Date(w.clock.now()).toUTCString());
  });

  test('nodes get credentials for an hour from then on', async () => {
    const w = world();
    const machine = await new Machine(w).register(await activate(w));
    const before = await machine.roleToken();
    w.clock.jump(jump);
    const after = await machine.roleToken();
    expect(after.credentials).not.toEqual(before.credentials);
    expect(after.expires).toBe(Math.floor((w.clock.now() + HOUR) / 1000) * 1000);
    await w.clock.advance(HOUR - 60_000);
    expect((await machine.ping(after.credentials)).status).toBe(200);
    await w.clock.advance(2 * 60_000);
    expect((await machine.ping(after.credentials)).body.__type).toBe('ExpiredTokenException');
  });

  test('activations expire when it says so', async () => {
    const w = world();
    await activate(w);
    w.clock.jump(jump);
    const activation = await activate(w, { ExpirationDate: (w.clock.now() + 60_000) / 1000 });
    await w.clock.advance(59_000);
    await new Machine(w).register(activation);
    await w.clock.advance(1000);
    expect((await new Machine(w, 1).tryRegister(activation)).body.__type).toBe('InvalidActivation');
    expect(await w.ok('DescribeActivations', {})).toMatchObject({
      ActivationList: expect.arrayContaining([
        expect.objectContaining({ ActivationId: activation.ActivationId, Expired: true }),
      ]),
    });
  });
});
