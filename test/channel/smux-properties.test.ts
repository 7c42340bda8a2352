import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SmuxSession } from '../../src/channel/index.ts';
import { framesOf, session, type Version } from './smux-wire.ts';

/** Two sessions, what lies between them, and an application at either end that does as a list of steps says. */

type Side = 'client' | 'server';
const SIDES: readonly Side[] = ['client', 'server'];
const otherSide = (side: Side): Side => (side === 'client' ? 'server' : 'client');

type Step =
  | { readonly do: 'open' }
  | { readonly do: 'write'; readonly side: Side; readonly stream: number; readonly length: number }
  | { readonly do: 'end'; readonly side: Side; readonly stream: number }
  | { readonly do: 'reset'; readonly side: Side; readonly stream: number }
  | { readonly do: 'consume'; readonly side: Side; readonly stream: number; readonly length: number }
  | { readonly do: 'transmit'; readonly side: Side; readonly limit: number }
  | { readonly do: 'deliver'; readonly side: Side; readonly length: number };

const side = fc.constantFrom(...SIDES);
const stream = fc.nat(7);
const length = fc.oneof(fc.nat(20), fc.nat(5_000), fc.nat(120_000));

const STEPS: Readonly<Record<Step['do'], fc.Arbitrary<Step>>> = {
  open: fc.record({ do: fc.constant('open' as const) }),
  write: fc.record({ do: fc.constant('write' as const), side, stream, length }),
  end: fc.record({ do: fc.constant('end' as const), side, stream }),
  reset: fc.record({ do: fc.constant('reset' as const), side, stream }),
  consume: fc.record({ do: fc.constant('consume' as const), side, stream, length }),
  transmit: fc.record({
    do: fc.constant('transmit' as const),
    side,
    limit: fc.integer({ min: 2048, max: 70_000 }),
  }),
  deliver: fc.record({ do: fc.constant('deliver' as const), side, length }),
};

function steps(...without: Step['do'][]): fc.Arbitrary<Step[]> {
  const weights = { open: 2, write: 6, end: 1, reset: 1, consume: 4, transmit: 6, deliver: 6 };
  const kinds = (Object.keys(STEPS) as Step['do'][]).filter((kind) => !without.includes(kind));
  const some = fc.oneof(...kinds.map((kind) => ({ weight: weights[kind], arbitrary: STEPS[kind] })));
  return fc.array(some, { maxLength: 150, size: 'max' });
}

interface Direction {
  written: number;
  /** The writer has ended it. */
  ended: boolean;
  read: number;
  /** The reader has been told of the end. */
  finished: boolean;
  consumed: number;
  /** On the wire: bytes sent, and how many may be. */
  sent: number;
  limit: number;
}

class World {
  readonly sessions: Record<Side, SmuxSession>;
  readonly #version: Version;
  /** Toward each side. */
  readonly #wire: Record<Side, Buffer> = { client: Buffer.alloc(0), server: Buffer.alloc(0) };
  readonly ids: number[] = [];
  readonly #directions = new Map<string, Direction>();
  readonly resets = new Set<number>();
  #mostUnread = 0;

  constructor(version: Version) {
    this.#version = version;
    this.sessions = { client: session('client', version), server: session('server', version) };
  }

  /** What `from` writes in the stream. */
  direction(from: Side, id: number): Direction {
    const key = `${from} ${id}`;
    let direction = this.#directions.get(key);
    if (!direction) {
      direction = {
        written: 0,
        ended: false,
        read: 0,
        finished: false,
        consumed: 0,
        sent: 0,
        limit: 65_536,
      };
      this.#directions.set(key, direction);
    }
    return direction;
  }

  take(step: Step): void {
    const id = 'stream' in step ? this.ids[step.stream % Math.max(1, this.ids.length)] : undefined;
    switch (step.do) {
      case 'open':
        if (this.ids.length < 8) this.ids.push(this.sessions.client.open());
        break;
      case 'write':
        if (id !== undefined) this.write(step.side, id, step.length);
        break;
      case 'end':
        if (id !== undefined) this.end(step.side, id);
        break;
      case 'reset':
        if (id === undefined || !this.knows(step.side, id)) break;
        this.resets.add(id);
        this.sessions[step.side].reset(id);
        break;
      case 'consume':
        if (id !== undefined) this.consume(step.side, id, step.length);
        break;
      case 'transmit':
        this.transmit(step.side, step.limit);
        break;
      case 'deliver':
        this.deliver(step.side, step.length);
    }
    for (const one of SIDES) {
      this.#see(one);
      this.#mostUnread = Math.max(this.#mostUnread, this.sessions[one].unread);
    }
  }

  /** The server knows of a stream when it has been opened there. */
  knows(one: Side, id: number): boolean {
    return one === 'client' || this.#opened.has(id);
  }
  readonly #opened = new Set<number>();

  write(from: Side, id: number, wanted: number): void {
    const direction = this.direction(from, id);
    if (!this.knows(from, id) || direction.ended || this.#over(from, id)) return;
    const taken = this.sessions[from].write(id, pattern(from, id, direction.written, wanted));
    direction.written += taken;
  }

  end(from: Side, id: number): boolean {
    if (!this.knows(from, id)) return false;
    // In version 1 it would be the end of the other direction as well.
    if (this.#version === 1 && from === 'client' && !this.direction('server', id).finished) return false;
    this.direction(from, id).ended = true;
    this.sessions[from].closeWrite(id);
    return true;
  }

  /** @returns whether there was something to consume, which opens the window of the other side again */
  consume(reader: Side, id: number, wanted: number): boolean {
    const direction = this.direction(otherSide(reader), id);
    const count = Math.min(wanted, direction.read - direction.consumed);
    direction.consumed += count;
    this.sessions[reader].consumed(id, count);
    return count > 0;
  }

  transmit(from: Side, limit: number): boolean {
    const piece = this.sessions[from].pollTransmit(limit);
    if (!piece) return false;
    expect(piece.length).toBeLessThanOrEqual(limit);
    for (const { command, id, payload } of framesOf(piece)) {
      const mine = this.direction(from, id);
      if (command === 'PSH') mine.sent += payload.length;
      if (command !== 'UPD') continue;
      const theirs = this.direction(otherSide(from), id);
      theirs.limit = Math.max(theirs.limit, payload.readUInt32LE(0) + payload.readUInt32LE(4));
    }
    if (this.#version === 2)
      for (const { sent, limit } of this.#directions.values()) expect(sent).toBeLessThanOrEqual(limit);
    const to = otherSide(from);
    this.#wire[to] = Buffer.concat([this.#wire[to], piece]);
    return true;
  }

  deliver(to: Side, wanted: number): boolean {
    const bytes = this.#wire[to].subarray(0, wanted);
    this.#wire[to] = this.#wire[to].subarray(bytes.length);
    if (bytes.length > 0) this.sessions[to].handleBytes(Uint8Array.from(bytes));
    return bytes.length > 0;
  }

  /** Ends everything, and lets both sides read and send until nothing moves. */
  settle(): void {
    for (let moved = true; moved; ) {
      moved = false;
      for (const one of SIDES) {
        while (this.transmit(one, 32_768)) moved = true;
        if (this.deliver(otherSide(one), Number.POSITIVE_INFINITY)) moved = true;
      }
      for (const one of SIDES) {
        this.#see(one);
        for (const id of this.ids) {
          if (this.consume(one, id, Number.POSITIVE_INFINITY)) moved = true;
          if (!this.direction(one, id).ended && this.end(one, id)) moved = true;
        }
      }
    }
  }

  #see(reader: Side): void {
    const smux = this.sessions[reader];
    for (let event = smux.pollEvent(); event; event = smux.pollEvent()) {
      if (event.type === 'failed') throw event.error;
      const { streamId: id } = event;
      const direction = this.direction(otherSide(reader), id);
      if (event.type === 'opened') this.#opened.add(id);
      else if (event.type === 'finished') {
        expect(direction.finished).toBe(false);
        direction.finished = true;
      } else if (event.type === 'reset') {
        expect(event.reason).toBeUndefined();
        expect(this.resets.has(id)).toBe(true);
      } else if (event.type === 'data') {
        const expected = pattern(otherSide(reader), id, direction.read, event.bytes.length);
        if (Buffer.compare(event.bytes, expected) !== 0)
          throw new Error(`stream ${id} is mixed at ${direction.read}`);
        direction.read += event.bytes.length;
      }
    }
  }

  #over(writer: Side, id: number): boolean {
    return this.#version === 1 && this.direction(otherSide(writer), id).finished;
  }
}

/** Bytes that tell their stream, their direction and their place. */
function pattern(from: Side, id: number, start: number, wanted: number): Uint8Array {
  const salt = id * 31 + (from === 'client' ? 7 : 0);
  return PATTERN.subarray((start + salt) % PERIOD, ((start + salt) % PERIOD) + wanted);
}

const PERIOD = 65_521;
const PATTERN = Uint8Array.from(
  { length: PERIOD + 131_072 },
  (_, i) => Math.imul(i % PERIOD, 0x9e3779b1) >>> 19,
);

function settled(version: Version, script: readonly Step[]): World {
  const world = new World(version);
  for (const step of script) world.take(step);
  world.settle();
  for (const one of SIDES) {
    expect(world.sessions[one].size, `streams left at the ${one}`).toBe(0);
    expect(world.sessions[one].unread).toBe(0);
    expect(world.sessions[one].pollTransmit(2048)).toBeUndefined();
  }
  return world;
}

describe('many streams, in any order, cut anywhere', () => {
  test('of version 2: every byte arrives in its stream, and every end', () => {
    fc.assert(
      fc.property(steps('reset'), (script) => {
        const world = settled(2, script);
        for (const id of world.ids) {
          for (const from of SIDES) {
            const { written, read, finished } = world.direction(from, id);
            expect([read, finished]).toEqual([written, true]);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  test('of version 1: every byte of the server arrives, and of the client until the server ends', () => {
    fc.assert(
      fc.property(steps('reset'), (script) => {
        const world = settled(1, script);
        for (const id of world.ids) {
          const down = world.direction('server', id);
          const up = world.direction('client', id);
          expect([down.read, down.finished]).toEqual([down.written, true]);
          expect(up.read).toBeLessThanOrEqual(up.written);
          expect(up.finished).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });

  test.each([1, 2] as const)(
    'of version %i: a reset ends its stream at both sides, and no other',
    (version) => {
      fc.assert(
        fc.property(steps(), (script) => {
          const world = settled(version, script);
          for (const id of world.ids.filter((one) => !world.resets.has(one))) {
            const { written, read, finished } = world.direction('server', id);
            expect([read, finished]).toEqual([written, true]);
          }
        }),
        { numRuns: 200 },
      );
    },
  );
});
