import { fromUtf8Strict, utf8 } from '../../base/encoding.ts';
import { MessageError } from '../error.ts';

/** A JSON object from the network: nothing about its members is known yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** @throws {MessageError} unless the bytes are one JSON object */
export function readJson(payload: Uint8Array, what: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(fromUtf8Strict(payload));
  } catch (cause) {
    // The parser's own message quotes the payload, which may be session data, so it stays out of ours.
    throw new MessageError('ERR_MESSAGE_PAYLOAD', `The payload of ${what} is not JSON.`, {
      cause: redacted(cause),
    });
  }
  return asObject(value, what);
}

export function writeJson(value: object): Uint8Array {
  return utf8(JSON.stringify(value));
}

export function asObject(value: unknown, what: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(what, 'a JSON object');
  return value as JsonObject;
}

export function asArray(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw wrong(what, 'a list');
  return value;
}

/** A member that must be a string. */
export function readString(object: JsonObject, member: string, what: string): string {
  const value = own(object, member);
  if (typeof value !== 'string') throw wrong(`${member} of ${what}`, 'a string');
  return value;
}

/** A member that may be absent or null, which Go's JSON reader takes for empty. */
export function readOptionalString(object: JsonObject, member: string, what: string): string {
  const value = own(object, member);
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw wrong(`${member} of ${what}`, 'a string');
  return value;
}

/** A member that must be a whole number of at least `minimum`. */
export function readInteger(object: JsonObject, member: string, what: string, minimum = 0): number {
  const value = own(object, member);
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < minimum) {
    throw wrong(`${member} of ${what}`, `a whole number from ${minimum}`);
  }
  return value;
}

export function own(object: JsonObject, member: string): unknown {
  return Object.hasOwn(object, member) ? object[member] : undefined;
}

function wrong(what: string, expected: string): MessageError {
  return new MessageError('ERR_MESSAGE_PAYLOAD', `Expected ${what} to be ${expected}.`);
}

function redacted(cause: unknown): Error {
  return new Error(cause instanceof TypeError ? 'invalid UTF-8' : 'invalid JSON');
}
