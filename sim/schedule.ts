/** Virtual time: what is to happen, in order of when, then of when it was scheduled. */
export class Schedule {
  /** Milliseconds. */
  now = 0;
  #heap: Entry[] = [];
  #order = 0;

  get empty(): boolean {
    return this.#heap.length === 0;
  }

  at(time: number, run: () => void): void {
    const entry = { time: Math.max(time, this.now), order: this.#order++, run };
    let index = this.#heap.length;
    this.#heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!before(entry, this.#heap[parent]!)) break;
      this.#heap[index] = this.#heap[parent]!;
      index = parent;
    }
    this.#heap[index] = entry;
  }

  /** Jumps to the next entry and runs it. */
  step(): void {
    const next = this.#heap[0];
    if (!next) return;
    const last = this.#heap.pop()!;
    if (last !== next) this.#sink(last);
    this.now = next.time;
    next.run();
  }

  #sink(entry: Entry): void {
    const heap = this.#heap;
    let index = 0;
    for (let child = 1; child < heap.length; child = 2 * index + 1) {
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, entry)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = entry;
  }
}

interface Entry {
  readonly time: number;
  readonly order: number;
  readonly run: () => void;
}

function before(a: Entry, b: Entry): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}
