import { expect, test } from 'vitest';
import { Liveness } from '../../src/core/liveness.ts';

const S = 1000;

test('half a minute of silence makes a ping, another half is the end', () => {
  const liveness = new Liveness(true, 0);
  expect(liveness.deadline).toBe(30 * S);
  expect(liveness.check(29 * S, false)).toBeUndefined();
  expect(liveness.check(30 * S, false)).toBe('ping');
  expect(liveness.deadline).toBe(60 * S);
  expect(liveness.check(60 * S, false)).toBe('dead');
});

test('an answer to the ping starts afresh', () => {
  const liveness = new Liveness(true, 0);
  liveness.check(30 * S, false);
  liveness.heard(31 * S);
  expect(liveness.check(60 * S, false)).toBeUndefined();
  expect(liveness.check(61 * S, false)).toBe('ping');
});

test('after a sleep five seconds are enough', () => {
  const liveness = new Liveness(true, 0);
  expect(liveness.check(600 * S, false)).toBe('ping');
  expect(liveness.check(605 * S, false)).toBe('dead');
});

test('a ping that was out when the machine fell asleep decides on waking', () => {
  const liveness = new Liveness(true, 0);
  liveness.check(30 * S, false);
  expect(liveness.check(600 * S, false)).toBe('dead');
});

test('without ping, silence with nothing to answer means nothing', () => {
  const liveness = new Liveness(false, 0);
  for (let now = 30 * S; now < 3600 * S; now += 30 * S) expect(liveness.check(now, false)).toBeUndefined();
});

test('without ping, half a minute without an acknowledge is the end', () => {
  const liveness = new Liveness(false, 0);
  expect(liveness.check(30 * S, true)).toBeUndefined();
  expect(liveness.check(60 * S, true)).toBe('dead');
});

test('without ping, acknowledges in time keep the socket', () => {
  const liveness = new Liveness(false, 0);
  expect(liveness.check(30 * S, true)).toBeUndefined();
  liveness.heard(40 * S);
  expect(liveness.check(70 * S, true)).toBeUndefined();
});
