/** One figure beside its yardstick, both measured in this run. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly yardstick: number;
  /** value / yardstick: more is better where the unit is a rate, less where it is a time. */
  readonly ratio: number;
  readonly unit: string;
  /** What the yardstick is, for the table. */
  readonly beside: string;
}

export interface FigureSource {
  readonly name: string;
  measure(): Promise<Figure>;
}

export interface Contest {
  readonly name: string;
  readonly unit: string;
  readonly beside: string;
  /** Each call measures once and answers in the unit. Ours and the yardstick take turns. */
  ours(): Promise<number> | number;
  yardstick(): Promise<number> | number;
  /** Turns after one that warms up. Default 7. */
  readonly turns?: number;
}

/** Medians over turns taken one after the other, so that a machine whose speed drifts hits both alike. */
export async function contest({ name, unit, beside, ours, yardstick, turns = 7 }: Contest): Promise<Figure> {
  const values: number[] = [];
  const yardsticks: number[] = [];
  const ratios: number[] = [];
  for (let turn = 0; turn <= turns; turn++) {
    const theirs = await yardstick();
    const mine = await ours();
    if (turn === 0) continue;
    values.push(mine);
    yardsticks.push(theirs);
    ratios.push(mine / theirs);
  }
  return {
    name,
    value: round(median(values)),
    yardstick: round(median(yardsticks)),
    ratio: round(median(ratios)),
    unit,
    beside,
  };
}

/** Calls `body` for about `milliseconds`, and answers in calls per second. */
export function rate(body: (turn: number) => unknown, milliseconds = 150): number {
  let calls = 0;
  const start = process.hrtime.bigint();
  const end = start + BigInt(milliseconds) * 1_000_000n;
  let now = start;
  while (now < end) {
    for (let i = 0; i < 64; i++) body(calls + i);
    calls += 64;
    now = process.hrtime.bigint();
  }
  return (calls * 1e9) / Number(now - start);
}

/** The same for what takes its time, one call after another. */
export async function rateOf(body: () => Promise<unknown>, milliseconds = 150): Promise<number> {
  let calls = 0;
  const start = process.hrtime.bigint();
  const end = start + BigInt(milliseconds) * 1_000_000n;
  let now = start;
  while (now < end) {
    for (let i = 0; i < 16; i++) await body();
    calls += 16;
    now = process.hrtime.bigint();
  }
  return (calls * 1e9) / Number(now - start);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
