import { fromBase64 } from '../base/encoding.ts';
import { ApiError } from './api-error.ts';

/**
 * Shapes of request members, as the API model has them (SHAPES.md): what a JSON value must be, and what it then is
 * in TypeScript. A wrong JSON type is a `SerializationException`; broken constraints are gathered, and make one
 * `ValidationException` in AWS's words (CONTROL-PLANE.md section 1.4).
 */
export interface Shape<T> {
  /** @param path of the member, in lower camel case @throws {ApiError} `SerializationException` */
  read(value: unknown, path: string, problems: string[]): T;
}

export type Infer<S> = S extends Shape<infer T> ? T : never;

/** @throws {ApiError} `SerializationException`, `ValidationException` */
export function readInput<T>(shape: Shape<T>, value: unknown): T {
  const problems: string[] = [];
  const input = shape.read(value, '', problems);
  if (problems.length === 0) return input;
  const count = `${problems.length} validation ${problems.length === 1 ? 'error' : 'errors'} detected`;
  throw new ApiError('ValidationException', `${count}: ${problems.slice(0, MAX_PROBLEMS).join('; ')}`);
}

export interface StringConstraints {
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: RegExp;
  readonly values?: readonly string[];
  /** Error texts leave the value out. */
  readonly sensitive?: boolean;
}

export function string<T extends string = string>(constraints: StringConstraints = {}): Shape<T> {
  const { min = 0, max = Number.POSITIVE_INFINITY, pattern, values, sensitive = false } = constraints;
  return {
    read(value, path, problems) {
      if (typeof value !== 'string') throw wrongType(path, 'a string');
      const broken = (constraint: string) =>
        problems.push(problem(sensitive ? undefined : value, path, constraint));
      if (value.length < min) broken(`Member must have length greater than or equal to ${min}`);
      if (value.length > max) broken(`Member must have length less than or equal to ${max}`);
      if (pattern && !pattern.test(value)) {
        broken(`Member must satisfy regular expression pattern: ${pattern.source}`);
      }
      if (values && !values.includes(value)) {
        broken(`Member must satisfy enum value set: [${values.join(', ')}]`);
      }
      return value as T;
    },
  };
}

export function integer({ min, max }: { readonly min: number; readonly max: number }): Shape<number> {
  return {
    read(value, path, problems) {
      if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongType(path, 'a whole number');
      if (value < min) {
        problems.push(problem(value, path, `Member must have value greater than or equal to ${min}`));
      }
      if (value > max) {
        problems.push(problem(value, path, `Member must have value less than or equal to ${max}`));
      }
      return value;
    },
  };
}

/** Bytes, in base64. No error text repeats them. */
export function blob({ min, max }: { readonly min: number; readonly max: number }): Shape<Uint8Array> {
  return {
    read(value, path, problems) {
      const bytes = typeof value === 'string' ? fromBase64(value) : undefined;
      if (!bytes) throw wrongType(path, 'base64');
      const { length } = bytes;
      const broken = (constraint: string) => problems.push(problem(undefined, path, constraint));
      if (length < min) broken(`Member must have length greater than or equal to ${min}`);
      if (length > max) broken(`Member must have length less than or equal to ${max}`);
      return bytes;
    },
  };
}

export function boolean(): Shape<boolean> {
  return {
    read(value, path) {
      if (typeof value !== 'boolean') throw wrongType(path, 'true or false');
      return value;
    },
  };
}

/** A time in seconds since the epoch, fractions allowed; read as milliseconds. */
export function timestamp(): Shape<number> {
  return {
    read(value, path) {
      if (typeof value !== 'number' || !Number.isFinite(value)) throw wrongType(path, 'a number of seconds');
      return value * 1000;
    },
  };
}

export function list<T>(
  member: Shape<T>,
  { min = 0, max = Number.POSITIVE_INFINITY }: { readonly min?: number; readonly max?: number } = {},
): Shape<readonly T[]> {
  return {
    read(value, path, problems) {
      if (!Array.isArray(value)) throw wrongType(path, 'a list');
      if (value.length < min) {
        problems.push(problem(undefined, path, `Member must have length greater than or equal to ${min}`));
      }
      if (value.length > max) {
        problems.push(problem(undefined, path, `Member must have length less than or equal to ${max}`));
      }
      return value.map((item, index) => member.read(item, `${path}.${index + 1}.member`, problems));
    },
  };
}

export function map<T>(key: Shape<string>, value: Shape<T>): Shape<ReadonlyMap<string, T>> {
  return {
    read(object, path, problems) {
      const entries = Object.entries(asObject(object, path));
      return new Map(
        entries.map(([name, item]) => [
          key.read(name, `${path}.key`, problems),
          value.read(item, `${path}.value`, problems),
        ]),
      );
    },
  };
}

type Members = Readonly<Record<string, Shape<unknown>>>;

/** Members that may be absent; `null` counts as absent (CONTROL-PLANE.md section 1.1). Unknown ones are ignored. */
export function structure<R extends Members, O extends Members = Record<never, never>>(
  required: R,
  optional: O = {} as O,
): Shape<{ readonly [K in keyof R]: Infer<R[K]> } & { readonly [K in keyof O]?: Infer<O[K]> }> {
  return {
    read(value, path, problems) {
      const object = asObject(value, path);
      const result: Record<string, unknown> = {};
      for (const [name, shape] of Object.entries({ ...required, ...optional })) {
        const member = Object.hasOwn(object, name) ? object[name] : undefined;
        const at = join(path, name);
        if (member !== undefined && member !== null) result[name] = shape.read(member, at, problems);
        else if (Object.hasOwn(required, name)) problems.push(problem(null, at, 'Member must not be null'));
      }
      // Incomplete only when there are problems, and then nobody sees it.
      return result as never;
    },
  };
}

/** Texts in one answer; the count before them is that of all. */
const MAX_PROBLEMS = 10;

/** Characters of a value that are repeated in an error text. */
const MAX_SHOWN = 400;

function problem(value: string | number | null | undefined, path: string, constraint: string): string {
  const shown =
    value === undefined
      ? 'Value'
      : value === null
        ? 'Value null'
        : `Value '${`${value}`.slice(0, MAX_SHOWN)}'`;
  return `${shown} at '${path}' failed to satisfy constraint: ${constraint}`;
}

function join(path: string, name: string): string {
  const camel = name.charAt(0).toLowerCase() + name.slice(1);
  return path === '' ? camel : `${path}.${camel}`;
}

function asObject(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongType(path, 'an object');
  return value as Readonly<Record<string, unknown>>;
}

function wrongType(path: string, expected: string): ApiError {
  return new ApiError(
    'SerializationException',
    `Expected ${path === '' ? 'the request' : path} to be ${expected}.`,
  );
}
