/**
 * JSON as the parser sees it. Objects are maps, so that `__proto__` and `constructor` are names like any other;
 * numbers keep their text, since conditions compare them as strings first (POLICY.md section 1).
 */
export type JsonValue = string | JsonNumber | boolean | null | readonly JsonValue[] | JsonObject;

export type JsonObject = ReadonlyMap<string, JsonValue>;

export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export function isObject(value: JsonValue): value is JsonObject {
  return value instanceof Map;
}

export function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** Lists and objects within each other. A policy needs six. */
export const MAX_DEPTH = 16;
