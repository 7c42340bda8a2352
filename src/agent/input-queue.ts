import { ownBytes } from '../base/own-bytes.ts';
import type { PayloadFlag } from '../channel/constants.ts';

/**
 * What the client sent, on its way to the handler: bytes and flags in one order, iterated once.
 *
 * `wanted` is called whenever there is room again after {@link full}.
 */
export class InputQueue implements AsyncIterable<Uint8Array> {
  readonly #wanted: () => void;
  readonly #flagged: (flag: PayloadFlag) => void;
  readonly #items: (Uint8Array | PayloadFlag)[] = [];
  #bytes = 0;
  #ended = false;
  #iterated = false;
  #wake: (() => void) | undefined;

  constructor(wanted: () => void, flagged: (flag: PayloadFlag) => void) {
    this.#wanted = wanted;
    this.#flagged = flagged;
  }

  /** Whether it should be given no more for now. */
  get full(): boolean {
    return this.#bytes >= LIMIT;
  }

  push(item: Uint8Array | PayloadFlag): void {
    if (this.#ended) return;
    this.#items.push(typeof item === 'number' || this.#items.length < VIEWS ? item : ownBytes(item));
    this.#bytes += costOf(item);
    this.#wake?.();
  }

  /** What is queued can still be read. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    if (this.#iterated) throw new TypeError('The input of a session can be iterated once.');
    this.#iterated = true;
    for (;;) {
      const item = this.#items.shift();
      if (item === undefined) {
        if (this.#ended) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
        continue;
      }
      const wasFull = this.full;
      this.#bytes -= costOf(item);
      if (wasFull && !this.full) this.#wanted();
      if (typeof item === 'number') this.#flagged(item);
      else yield item;
    }
  }
}

/** Bytes. Beyond them input waits in the channel, which withholds acknowledges when its own buffer is full. */
const LIMIT = 65_536;
/** Items that may wait as views of what they came in: those of a handler that keeps up. */
const VIEWS = 64;
/** What an item counts for beside its bytes, so that a million tiny ones are not free. */
const ITEM_COST = 64;

function costOf(item: Uint8Array | PayloadFlag): number {
  return ITEM_COST + (typeof item === 'number' ? 0 : item.length);
}
