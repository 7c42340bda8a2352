import { anyOf, type Family } from './operand.ts';

/** Numeric*: decimal numbers, compared as doubles. */
export function numeric(matches: (value: number, operand: number) => boolean): Family {
  return { compile: (values) => anyOf(values, decimal, matches) };
}

/** @returns undefined for text that is not wholly a number */
function decimal(text: string): number | undefined {
  if (!DECIMAL.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

const DECIMAL = /^[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?$/;
