import { describe, expect, test } from 'vitest';
import { JANE, NODE, signedCall, WireNode, world } from './world.ts';

describe('a StartSession while the control channel of its target is being opened', () => {
  test('waits for the token and starts the session', async () => {
    const w = world();
    await w.service.registerTarget({ id: NODE });
    const node = new WireNode(NODE, w.clock, w.transport);
    const showToken = await node.dial();
    const request = await signedCall('StartSession', JSON.stringify({ Target: NODE }), JANE, w.clock.now());
    const answer = w.service.fetch(request);
    await w.clock.advance(1_000);
    await showToken();
    expect((await answer).status).toBe(200);
    expect(node.control.types).toEqual(['interactive_shell']);
  });

  test('waits two seconds and no more', async () => {
    const w = world();
    await w.service.registerTarget({ id: NODE });
    await new WireNode(NODE, w.clock, w.transport).dial();
    const start = w.clock.now();
    const { body } = await w.call('StartSession', { Target: NODE });
    expect(body.__type).toBe('TargetNotConnected');
    expect(w.clock.now() - start).toBe(2_000);
  });

  test('does not wait where nothing is being opened', async () => {
    const w = world();
    await w.service.registerTarget({ id: NODE });
    const start = w.clock.now();
    expect((await w.call('GetConnectionStatus', { Target: NODE })).body.Status).toBe('notconnected');
    expect(w.clock.now()).toBe(start);
  });
});
