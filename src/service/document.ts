import { HawserError } from '../base/error.ts';
import type { SessionDocument } from '../core/documents/session-document.ts';

/** A session's own timers, in milliseconds; what the document leaves open is absent. */
export interface DocumentTimers {
  readonly idleTimeout?: number;
  readonly maxDuration?: number;
}

/** @throws {HawserError} `ERR_DOCUMENT` for a document that no session could be started from */
export function checkDocument(name: string, document: SessionDocument): void {
  if (!/^[a-zA-Z0-9_\-.]{3,128}$/.test(name)) {
    throw unfit(name, 'its name must have 3 to 128 letters, digits, or any of _ - .');
  }
  if (document.schemaVersion !== '1.0') throw unfit(name, 'its schemaVersion must be "1.0"');
  if (!document.sessionType) throw unfit(name, 'it has no sessionType');
  documentTimers(name, document);
}

/** @throws {HawserError} `ERR_DOCUMENT` for minutes out of range */
export function documentTimers(name: string, { inputs = {} }: SessionDocument): DocumentTimers {
  const idleTimeout = minutes(name, inputs, 'idleSessionTimeout', 60);
  const maxDuration = minutes(name, inputs, 'maxSessionDuration', 1440);
  return { ...(idleTimeout && { idleTimeout }), ...(maxDuration && { maxDuration }) };
}

const MINUTE = 60_000;

function minutes(
  name: string,
  inputs: Readonly<Record<string, unknown>>,
  input: string,
  maximum: number,
): number | undefined {
  const value = inputs[input] ?? '';
  if (value === '') return undefined;
  const count = typeof value === 'string' && /^\d{1,4}$/.test(value) ? Number(value) : value;
  if (typeof count !== 'number' || !Number.isInteger(count) || count < 1 || count > maximum) {
    throw unfit(name, `its input ${input} must be 1 to ${maximum} minutes`);
  }
  return count * MINUTE;
}

function unfit(name: string, why: string): HawserError {
  return new HawserError(
    'ERR_DOCUMENT',
    `The session document ${JSON.stringify(name)} cannot be used: ${why}.`,
  );
}
