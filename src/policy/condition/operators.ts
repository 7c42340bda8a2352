import { foldAscii } from '../match/fold.ts';
import { arnLike } from './arn.ts';
import { binaryEquals } from './binary.ts';
import { date } from './date.ts';
import { ipAddress } from './ip-address.ts';
import { numeric } from './numeric.ts';
import type { Family } from './operand.ts';
import { bool, stringEquals, stringEqualsIgnoreCase, stringLike } from './text.ts';

export interface Operator {
  /** `Null` asks whether the key is there, and has neither qualifier nor `IfExists`. */
  readonly family: Family | 'Null';
  readonly negated: boolean;
  readonly qualifier: 'ForAnyValue' | 'ForAllValues' | undefined;
  readonly ifExists: boolean;
}

/**
 * Reads `[ForAnyValue:|ForAllValues:]Operator[IfExists]`, whatever its case (POLICY.md section 4).
 *
 * @returns undefined for an operator that there is not
 */
export function parseOperator(text: string): Operator | undefined {
  const folded = foldAscii(text);
  if (folded === 'null') return { family: 'Null', negated: false, qualifier: undefined, ifExists: false };
  const colon = folded.indexOf(':');
  const qualifier = QUALIFIERS.get(folded.slice(0, colon + 1));
  const ifExists = folded.endsWith(IF_EXISTS);
  const base = BASES.get(folded.slice(colon + 1, ifExists ? -IF_EXISTS.length : undefined));
  if (base === undefined || qualifier === undefined) return undefined;
  return { ...base, qualifier: qualifier === 'none' ? undefined : qualifier, ifExists };
}

const IF_EXISTS = 'ifexists';

const QUALIFIERS: ReadonlyMap<string, 'ForAnyValue' | 'ForAllValues' | 'none'> = new Map([
  ['', 'none'],
  ['foranyvalue:', 'ForAnyValue'],
  ['forallvalues:', 'ForAllValues'],
]);

const equal = (value: number, operand: number) => value === operand;
const less = (value: number, operand: number) => value < operand;
const lessOrEqual = (value: number, operand: number) => value <= operand;
const greater = (value: number, operand: number) => value > operand;
const greaterOrEqual = (value: number, operand: number) => value >= operand;

const BASES: ReadonlyMap<string, { family: Family; negated: boolean }> = bases([
  ['StringEquals', stringEquals, 'StringNotEquals'],
  ['StringEqualsIgnoreCase', stringEqualsIgnoreCase, 'StringNotEqualsIgnoreCase'],
  ['StringLike', stringLike, 'StringNotLike'],
  ['NumericEquals', numeric(equal), 'NumericNotEquals'],
  ['NumericLessThan', numeric(less)],
  ['NumericLessThanEquals', numeric(lessOrEqual)],
  ['NumericGreaterThan', numeric(greater)],
  ['NumericGreaterThanEquals', numeric(greaterOrEqual)],
  ['DateEquals', date(equal), 'DateNotEquals'],
  ['DateLessThan', date(less)],
  ['DateLessThanEquals', date(lessOrEqual)],
  ['DateGreaterThan', date(greater)],
  ['DateGreaterThanEquals', date(greaterOrEqual)],
  ['Bool', bool],
  ['BinaryEquals', binaryEquals],
  ['IpAddress', ipAddress, 'NotIpAddress'],
  ['ArnEquals', arnLike, 'ArnNotEquals'],
  ['ArnLike', arnLike, 'ArnNotLike'],
]);

function bases(list: readonly (readonly [name: string, family: Family, notForm?: string])[]) {
  const found = new Map<string, { family: Family; negated: boolean }>();
  for (const [name, family, notForm] of list) {
    found.set(foldAscii(name), { family, negated: false });
    if (notForm !== undefined) found.set(foldAscii(notForm), { family, negated: true });
  }
  return found;
}
