import { utf8 } from '../src/base/encoding.ts';
import type { Dice } from './dice.ts';

/** The longest frame that mutations make. */
export const MAX_FRAME = 8192;

/**
 * Changes a copy of one of `frames` in one to three ways: bits, bytes, length fields, cuts, growth, splices. The
 * copy stands in `scratch`, which the next call overwrites.
 */
export function mutate(dice: Dice, frames: readonly Uint8Array[], scratch: Uint8Array): Uint8Array {
  const original = dice.pick(frames);
  let length = Math.min(original.length, MAX_FRAME);
  scratch.set(length === original.length ? original : original.subarray(0, length));
  for (let changes = dice.whole(1, 3); changes > 0; changes--) {
    length = dice.pick(MUTATIONS)(dice, scratch, length, frames);
  }
  return scratch.subarray(0, length);
}

/** Changes `length` bytes in place. @returns how many there are now */
type Mutation = (dice: Dice, bytes: Uint8Array, length: number, frames: readonly Uint8Array[]) => number;

const MUTATIONS: readonly Mutation[] = [
  function flipBit(dice, bytes, length) {
    if (length > 0) bytes[dice.whole(0, length - 1)]! ^= 1 << dice.whole(0, 7);
    return length;
  },
  function setByte(dice, bytes, length) {
    if (length > 0)
      bytes[dice.whole(0, length - 1)] = dice.pick([0, 1, 0x20, 0x7f, 0x80, 0xff, dice.whole(0, 255)]);
    return length;
  },
  function truncate(dice, _bytes, length) {
    return dice.whole(0, length);
  },
  function extend(dice, bytes, length) {
    const longer = Math.min(MAX_FRAME, length + dice.magnitude(1, 1024));
    bytes.fill(dice.whole(0, 255), length, longer);
    return longer;
  },
  /** HeaderLength, the halves of the 64-bit fields, PayloadType, PayloadLength where it may stand. */
  function setField(dice, bytes, length) {
    const offset = dice.pick([0, 0, 36, 40, 44, 48, 52, 56, 60, 112, 112, 116, 116]);
    if (offset + 4 > length) return length;
    const rest = length - offset - 4;
    const value = dice.pick([
      0,
      1,
      112,
      116,
      120,
      rest,
      rest - 1,
      rest + 1,
      0x7fffffff,
      0x80000000,
      0xffffffff,
    ]);
    for (let i = 0; i < 4; i++) bytes[offset + i] = value >>> (24 - 8 * i);
    return length;
  },
  /** The head of this one and the tail of another. */
  function splice(dice, bytes, length, frames) {
    const other = dice.pick(frames);
    const head = dice.whole(0, length);
    const tail = other.subarray(dice.whole(0, other.length), MAX_FRAME).subarray(0, MAX_FRAME - head);
    bytes.set(tail, head);
    return head + tail.length;
  },
];

/** Payloads that are valid as far as a digest goes, and hostile from there. */
export function hostilePayload(dice: Dice, payloads: readonly Uint8Array[]): Uint8Array {
  const payload = dice.pick(payloads);
  switch (dice.whole(0, 3)) {
    case 0:
      return payload;
    case 1:
      return replaceToken(dice, payload);
    case 2:
      return payload.slice(0, dice.whole(0, payload.length));
    default: {
      const changed = payload.slice();
      if (changed.length > 0) changed[dice.whole(0, changed.length - 1)] = dice.whole(0, 255);
      return changed;
    }
  }
}

/** Every payload that results from a hostile value in the place of one value of a JSON text. */
export function* hostileVariants(payload: Uint8Array): Generator<Uint8Array> {
  const text = latin1(payload);
  for (const { 0: value, index } of text.matchAll(JSON_VALUE)) {
    for (const hostile of HOSTILE_JSON) {
      yield utf8(text.slice(0, index) + hostile + text.slice(index + value.length));
    }
  }
}

function replaceToken(dice: Dice, payload: Uint8Array): Uint8Array {
  const text = latin1(payload);
  const values = [...text.matchAll(JSON_VALUE)];
  if (values.length === 0) return utf8(dice.pick(HOSTILE_JSON));
  const { 0: value, index } = dice.pick(values);
  return utf8(text.slice(0, index) + dice.pick(HOSTILE_JSON) + text.slice(index + value.length));
}

function latin1({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('latin1');
}

/** Strings, numbers, words; lists and objects are reached through them. */
const JSON_VALUE = /(?<=:|\[|,)("(?:[^"\\]|\\.)*"|-?\d+|null|true|false)/g;

const HOSTILE_JSON = [
  'null',
  'true',
  '[]',
  '{}',
  '""',
  '-1',
  '0',
  '1.5',
  '1e400',
  '9007199254740993',
  '18446744073709551616',
  '"1"',
  '{"__proto__":{"polluted":1}}',
  '{"constructor":{"prototype":{"polluted":1}}}',
  '{"toString":1,"valueOf":1}',
  '[{"toString":null,"valueOf":null}]',
  '{"length":4294967295}',
  '"\\ud800"',
  '"\\u0000"',
  '"__proto__"',
  '"toString"',
  '"constructor"',
  `"${'A'.repeat(5000)}"`,
  '['.repeat(500) + ']'.repeat(500),
  `${'{"a":'.repeat(300)}1${'}'.repeat(300)}`,
  `[${'[],'.repeat(300)}[]]`,
];
