/** A set of code points: the first and last of each range, ascending, with gaps between the ranges. */
export type CharSet = readonly number[];

export type CharRange = readonly [first: number, last: number];

export const MAX_CODE_POINT = 0x10ffff;

/** The ranges may overlap and be in any order. */
export function charSet(ranges: readonly CharRange[]): CharSet {
  const set: number[] = [];
  for (const [first, last] of [...ranges].sort(([a], [b]) => a - b)) {
    const end = set.length - 1;
    if (end > 0 && first <= set[end]! + 1) set[end] = Math.max(set[end]!, last);
    else set.push(first, last);
  }
  return set;
}

export function rangesOf(set: CharSet): CharRange[] {
  return Array.from({ length: set.length / 2 }, (_, i) => [set[2 * i]!, set[2 * i + 1]!]);
}

/** All code points that are not in the set. */
export function negated(set: CharSet): CharSet {
  const edges = [-1, ...set, MAX_CODE_POINT + 1];
  const gaps: CharRange[] = [];
  for (let i = 0; i < edges.length; i += 2) {
    const [first, last] = [edges[i]! + 1, edges[i + 1]! - 1];
    if (first <= last) gaps.push([first, last]);
  }
  return charSet(gaps);
}

export function includes(set: CharSet, codePoint: number): boolean {
  let [low, high] = [0, set.length / 2];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (codePoint > set[2 * middle + 1]!) low = middle + 1;
    else high = middle;
  }
  return low < set.length / 2 && codePoint >= set[2 * low]!;
}

export const DIGIT: CharSet = charSet([range('0', '9')]);
export const WORD: CharSet = charSet([range('0', '9'), range('A', 'Z'), range('a', 'z'), range('_', '_')]);
/** RE2 leaves out the vertical tab, and all of Unicode beyond ASCII. */
export const SPACE: CharSet = charSet([range('\t', '\n'), range('\f', '\r'), range(' ', ' ')]);
/** What `.` stands for. */
export const NOT_NEWLINE: CharSet = negated(charSet([range('\n', '\n')]));

function range(first: string, last: string): CharRange {
  return [first.codePointAt(0)!, last.codePointAt(0)!];
}
