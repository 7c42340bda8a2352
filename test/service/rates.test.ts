/** Rates and counts of sessions (CONTROL-PLANE.md section 1.5). */
import { describe, expect, test } from 'vitest';
import { AWS_RATES } from '../../src/service/index.ts';
import { Rates } from '../../src/service/rates.ts';
import { VirtualClock } from '../../src/testing/index.ts';
import { JANE, jane, NODE, type World, world } from './world.ts';

const JOE = { accessKeyId: 'AKIAJOE', secretAccessKey: 'joe-secret' };
const joe = { ...jane, arn: jane.arn.replace('jane', 'joe'), userId: 'AIDAJOE', userName: 'joe' };
const callers = [{ ...JOE, principal: joe }];

/** How many of the calls pass. */
async function passing(w: World, operation: string, input: object, calls: number, credentials = JANE) {
  let passed = 0;
  for (let i = 0; i < calls; i++) {
    const { status, body } = await w.call(operation, input, credentials);
    if (status === 200) passed++;
    else expect([status, body.__type, body.message]).toEqual([400, 'ThrottlingException', 'Rate exceeded']);
  }
  return passed;
}

describe('rates', () => {
  test.each([
    ['DescribeSessions', { State: 'Active' }, 6],
    ['GetConnectionStatus', { Target: NODE }, 50],
    ['StartSession', { Target: NODE }, 3],
  ])(
    '%s passes as often as AWS grants, and as often again a second later',
    async (operation, input, rate) => {
      const w = world({ rates: AWS_RATES });
      await w.node();
      expect(await passing(w, operation, input, rate + 2)).toBe(rate);
      await w.clock.advance(1000);
      expect(await passing(w, operation, input, rate + 2)).toBe(rate);
    },
  );

  test.each(['ResumeSession', 'TerminateSession'])('%s passes 6 times', async (operation) => {
    const w = world({ rates: AWS_RATES });
    await w.node();
    expect(await passing(w, operation, await w.start(), 8)).toBe(6);
  });

  test('are of each caller and of each operation', async () => {
    const w = world({ rates: { DescribeSessions: 1, GetConnectionStatus: 1 }, callers });
    const describe = { State: 'Active' };
    expect(await passing(w, 'DescribeSessions', describe, 2)).toBe(1);
    expect(await passing(w, 'DescribeSessions', describe, 2, JOE)).toBe(1);
    expect(await passing(w, 'GetConnectionStatus', { Target: NODE }, 2)).toBe(1);
    expect(await passing(w, 'ListDocuments', {}, 20)).toBe(20);
  });

  test('below one come back after as many seconds', async () => {
    const w = world({ rates: { DescribeSessions: 0.5 } });
    expect(await passing(w, 'DescribeSessions', { State: 'Active' }, 2)).toBe(1);
    await w.clock.advance(1999);
    expect(await passing(w, 'DescribeSessions', { State: 'Active' }, 1)).toBe(0);
    await w.clock.advance(1);
    expect(await passing(w, 'DescribeSessions', { State: 'Active' }, 1)).toBe(1);
  });

  test('there are none unless the host wants some', async () => {
    const w = world();
    await w.node();
    expect(await passing(w, 'StartSession', { Target: NODE }, 20)).toBe(20);
  });

  test.each([0, -1, Number.NaN])('a rate of %d is refused when the service is made', (rate) => {
    expect(() => world({ rates: { StartSession: rate } })).toThrow(RangeError);
  });

  test('ten thousand callers are remembered, and no more', async () => {
    const rates = new Rates({ Call: 1 }, new VirtualClock());
    const { handle } = rates.limit({ name: 'Call', handle: async () => ({}) } as never);
    const call = (arn: string) =>
      handle({}, { principal: { ...jane, arn } } as never).then(
        () => true,
        () => false,
      );
    for (let i = 0; i < 10_000; i++) expect(await call(`${i}`)).toBe(true);
    expect(await call('0')).toBe(false); // and so it is no longer the one that called least recently
    expect(await call('one more')).toBe(true);
    expect(await call('1')).toBe(true);
    expect(await call('0')).toBe(false);
  });
});

describe('counts of sessions', () => {
  test('a caller has as many as the host allows, which is said as a limit', async () => {
    const w = world({ limits: { sessionsPerCaller: 2 }, callers });
    const node = await w.node();
    await w.start();
    const { SessionId } = await w.start();
    const { status, body } = await w.call('StartSession', { Target: NODE });
    expect([status, body.__type, body.message]).toEqual([
      400,
      'BadRequest',
      `${jane.arn} has 2 sessions, which is the limit. Terminate one and try again.`,
    ]);
    expect((await w.call('StartSession', { Target: NODE }, JOE)).status).toBe(200);
    await node.complete(SessionId);
    await w.start();
  });

  test('a target has as many as the host allows, whoever started them', async () => {
    const w = world({ limits: { sessionsPerTarget: 2 }, callers });
    await w.node();
    await w.start();
    await w.call('StartSession', { Target: NODE }, JOE);
    const { body } = await w.call('StartSession', { Target: NODE });
    expect([body.__type, body.message]).toEqual([
      'BadRequest',
      `${NODE} has 2 sessions, which is the limit. Terminate one and try again.`,
    ]);
  });

  test('who may not start any learns nothing of limits', async () => {
    let isAllowed = true;
    const w = world({
      limits: { sessionsPerCaller: 1 },
      authorize: () =>
        isAllowed ? { effect: 'Allow' } : { effect: 'ImplicitDeny', policyType: 'identity-based policy' },
    });
    await w.node();
    await w.start();
    isAllowed = false;
    expect((await w.call('StartSession', { Target: NODE })).body.__type).toBe('AccessDeniedException');
  });
});
