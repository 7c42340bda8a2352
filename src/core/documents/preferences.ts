import { AWS_DOCUMENTS, DEFAULT_DOCUMENT } from './aws-documents.ts';
import { ParameterError } from './error.ts';
import type { ParameterValues } from './parameters.ts';
import type { SessionDocument } from './session-document.ts';
import { substitute, valuesOf } from './substitute.ts';

/**
 * The document with the preferences that hold (CONTROL-PLANE.md section 3.5): its own if it has any, or else those of
 * the account, or else the defaults. So the account's preferences reach port and command sessions as well.
 *
 * @param account `SSM-SessionManagerRunShell`, as the account has it
 */
export function withPreferences(
  document: SessionDocument,
  account: SessionDocument | undefined,
): SessionDocument {
  if (hasInputs(document)) return document;
  const { inputs, parameters = {} } =
    account && hasInputs(account) ? account : AWS_DOCUMENTS[DEFAULT_DOCUMENT]!;
  // None of the account's tokens may be left to meet the parameters of another document.
  const unset = Object.fromEntries(Object.keys(parameters).map((name) => [name, '']));
  const values = new Map([...valuesOf({}, unset), ...valuesOf(parameters, {})]);
  return { ...document, inputs: substitute(inputs, values) as NonNullable<SessionDocument['inputs']> };
}

/** A session's own timers, in milliseconds; what the document leaves open is absent. */
export interface DocumentTimers {
  readonly idleTimeout?: number;
  readonly maxDuration?: number;
}

/** @throws {ParameterError} for a parameter that makes minutes out of range */
export function documentTimers(document: SessionDocument, given: ParameterValues): DocumentTimers {
  const { inputs = {}, parameters = {} } = document;
  const { idleSessionTimeout, maxSessionDuration } = inputs;
  const resolved = substitute({ idleSessionTimeout, maxSessionDuration }, valuesOf(parameters, given)) as {
    readonly idleSessionTimeout: unknown;
    readonly maxSessionDuration: unknown;
  };
  const idleTimeout = milliseconds('idleSessionTimeout', resolved.idleSessionTimeout, 60);
  const maxDuration = milliseconds('maxSessionDuration', resolved.maxSessionDuration, 1440);
  return { ...(idleTimeout && { idleTimeout }), ...(maxDuration && { maxDuration }) };
}

/** Minutes as documents have them: `undefined` for the default, and `NaN` for what is not 1 to `maximum`. */
export function minutesOf(value: unknown, maximum: number): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const count = typeof value === 'string' && /^\d{1,4}$/.test(value) ? Number(value) : value;
  const isMinutes = typeof count === 'number' && Number.isInteger(count) && count >= 1 && count <= maximum;
  return isMinutes ? count : Number.NaN;
}

const MINUTE = 60_000;

function milliseconds(input: string, value: unknown, maximum: number): number | undefined {
  const minutes = minutesOf(value, maximum);
  if (minutes === undefined || minutes >= 1) return minutes && minutes * MINUTE;
  throw new ParameterError(`The parameters make ${input} something other than 1 to ${maximum} minutes.`);
}

function hasInputs({ inputs }: SessionDocument): boolean {
  return Object.keys(inputs ?? {}).length > 0;
}
