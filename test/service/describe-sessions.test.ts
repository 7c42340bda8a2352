import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { jane, NODE, type Started, type World, world } from './world.ts';

/** `count` sessions, one second apart, oldest first. */
async function sessions(w: World, count: number): Promise<Started[]> {
  const started: Started[] = [];
  for (let i = 0; i < count; i++) {
    started.push(await w.start());
    await w.clock.advance(1000);
  }
  return started;
}

const ids = (answer: Record<string, unknown>) =>
  (answer.Sessions as { SessionId: string }[]).map(({ SessionId }) => SessionId);

const list = async (w: World, input: object) =>
  ids(await w.ok('DescribeSessions', { State: 'Active', ...input }));

describe('filters', () => {
  test('Active and History tell sessions that go on from those that are over', async () => {
    const w = world();
    const node = await w.node();
    const [over, live] = await sessions(w, 2);
    await node.complete(over!.SessionId);
    expect(await list(w, {})).toEqual([live!.SessionId]);
    expect(await list(w, { State: 'History' })).toEqual([over!.SessionId]);
  });

  test('by time of start', async () => {
    const w = world();
    await w.node();
    const [first, second, third] = (await sessions(w, 3)).map(({ SessionId }) => SessionId);
    const at = '2026-01-01T00:00:01Z';
    expect(await list(w, { Filters: [{ key: 'InvokedAfter', value: at }] })).toEqual([third, second]);
    expect(await list(w, { Filters: [{ key: 'InvokedBefore', value: at }] })).toEqual([first]);
    const offset = { key: 'InvokedAfter', value: '2026-01-01T01:00:02.000+01:00' };
    expect(await list(w, { Filters: [offset] })).toEqual([third]);
  });

  test('by target, owner, status, id and access type, all of which must match', async () => {
    const w = world();
    await w.node();
    const [session] = await sessions(w, 1);
    const good = {
      Target: NODE,
      Owner: 'arn:aws:iam::111122223333:user/jane',
      Status: 'Connecting',
      SessionId: session!.SessionId,
      AccessType: 'Standard',
    };
    const bad = { Target: 'mi-1', Owner: 'jane', Status: 'Failed', SessionId: 'x', AccessType: 'JustInTime' };
    const filters = Object.entries(good).map(([key, value]) => ({ key, value }));
    expect(await list(w, { Filters: filters })).toHaveLength(1);
    for (const [key, value] of Object.entries(bad)) {
      const others = filters.filter((filter) => filter.key !== key);
      expect(await list(w, { Filters: [...others, { key, value }] })).toEqual([]);
    }
  });

  test.each([
    ['InvalidFilterKey', [{ key: 'Color', value: 'red' }]],
    ['ValidationException', [{ key: 'Status', value: 'Sleeping' }]],
    ['ValidationException', [{ key: 'AccessType', value: 'Odd' }]],
    ['ValidationException', [{ key: 'InvokedAfter', value: 'yesterday' }]],
    ['ValidationException', [{ key: 'InvokedAfter', value: '2026-13-01' }]],
    [
      'ValidationException',
      [
        { key: 'Target', value: 'a' },
        { key: 'Target', value: 'b' },
      ],
    ],
    ['ValidationException', []],
    ['ValidationException', [{ key: 'Target' }]],
  ])('%s for %j', async (type, Filters) => {
    const { status, body } = await world().call('DescribeSessions', { State: 'Active', Filters });
    expect([status, body.__type]).toEqual([400, type]);
  });
});

describe('pages', () => {
  test('newest first, each session once, also when new ones come in between', async () => {
    const w = world();
    await w.node();
    const started = (await sessions(w, 5)).map(({ SessionId }) => SessionId);
    const seen: string[] = [];
    let NextToken: unknown;
    do {
      const page = await w.ok('DescribeSessions', {
        State: 'Active',
        MaxResults: 2,
        ...(NextToken !== undefined && { NextToken }),
      });
      seen.push(...ids(page));
      NextToken = page.NextToken;
      await w.start();
    } while (NextToken !== undefined);
    expect(seen).toEqual(started.reverse());
  });

  test('sessions of the same millisecond are neither repeated nor skipped', async () => {
    const w = world();
    await w.node();
    const started = new Set<string>();
    for (let i = 0; i < 3; i++) started.add((await w.start()).SessionId);
    const first = await w.ok('DescribeSessions', { State: 'Active', MaxResults: 2 });
    const second = await w.ok('DescribeSessions', { State: 'Active', NextToken: first.NextToken });
    expect(new Set([...ids(first), ...ids(second)])).toEqual(started);
    expect(second.NextToken).toBeUndefined();
  });

  test('a token is refused with another query, another caller, altered, or a day later', async () => {
    const w = world();
    await w.node();
    await sessions(w, 2);
    const { NextToken } = await w.ok('DescribeSessions', { State: 'Active', MaxResults: 1 });
    const type = async (input: object) =>
      (await w.call('DescribeSessions', { State: 'Active', NextToken, ...input })).body.__type;
    expect(await type({})).toBeUndefined();
    const altered = `${NextToken}`.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
    for (const input of [
      { State: 'History' },
      { Filters: [{ key: 'Target', value: NODE }] },
      { NextToken: altered },
      { NextToken: 'nonsense' },
      { NextToken: btoa('x'.repeat(100)) },
      { NextToken: '' },
    ]) {
      expect(await type(input)).toBe('InvalidNextToken');
    }
    await w.clock.advance(24 * 3_600_000);
    expect(await type({})).toBe('InvalidNextToken');
  });
});

test.each(['x', 'null', '{}', '[]', '["0","a",1e15]', '[0,0,1e15]', '[0,"a","z"]'])(
  'a token made up around %s, its digest right, is refused and breaks nothing',
  async (body) => {
    const w = world();
    const query = JSON.stringify(['Active', [], jane.arn]);
    const check = createHash('sha256')
      .update(JSON.stringify([body, query]))
      .digest('hex');
    const answer = await w.call('DescribeSessions', { State: 'Active', NextToken: btoa(`${check}${body}`) });
    expect(answer.body.__type).toBe('InvalidNextToken');
  },
);

test('the history keeps the newest of what it has no room for', async () => {
  const w = world({ limits: { history: 2 } });
  const node = await w.node();
  const started = (await sessions(w, 3)).map(({ SessionId }) => SessionId);
  for (const sessionId of started) {
    await node.complete(sessionId);
    await w.clock.advance(1000);
  }
  expect(await list(w, { State: 'History' })).toEqual([started[2], started[1]]);
});
