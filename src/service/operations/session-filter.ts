import { ApiError } from '../api-error.ts';
import type { SessionRecord } from '../session-record.ts';
import { type Infer, list, string, structure } from '../shape.ts';

/** Lower case, unlike every other member (CONTROL-PLANE.md section 1.1). */
export const SESSION_FILTERS = list(structure({ key: string(), value: string({ min: 1, max: 400 }) }), {
  min: 1,
  max: 6,
});

export type SessionFilters = Infer<typeof SESSION_FILTERS>;

type Predicate = (session: SessionRecord) => boolean;

/**
 * Whether a session passes all filters (CONTROL-PLANE.md section 2.4).
 *
 * @throws {ApiError} `InvalidFilterKey`, `ValidationException`
 */
export function sessionFilter(filters: SessionFilters): Predicate {
  const keys = filters.map(({ key }) => key);
  if (keys.some((key) => !FILTERS.has(key))) throw new ApiError('InvalidFilterKey', '');
  if (new Set(keys).size < keys.length) throw invalid('Each filter key can be used once.');
  const predicates = filters.map(({ key, value }) => FILTERS.get(key)!(value));
  return (session) => predicates.every((passes) => passes(session));
}

const STATUSES = ['Connected', 'Connecting', 'Disconnected', 'Terminated', 'Terminating', 'Failed'];
const ACCESS_TYPES = ['Standard', 'JustInTime'];

const FILTERS: ReadonlyMap<string, (value: string) => Predicate> = new Map<
  string,
  (value: string) => Predicate
>([
  ['InvokedAfter', startedFrom],
  ['InvokedBefore', (value) => not(startedFrom(value))],
  ['Target', (value) => (session) => session.target === value],
  ['Owner', (value) => (session) => session.owner.arn === value],
  ['SessionId', (value) => (session) => session.sessionId === value],
  [
    'Status',
    (value) => {
      if (!STATUSES.includes(value)) throw invalid(`Status must be one of ${STATUSES.join(', ')}.`);
      return (session) => session.status === value;
    },
  ],
  [
    'AccessType',
    (value) => {
      if (!ACCESS_TYPES.includes(value))
        throw invalid(`AccessType must be one of ${ACCESS_TYPES.join(', ')}.`);
      return (session) => accessTypeOf(session) === value;
    },
  ],
]);

/** How its owner came by the access. */
export function accessTypeOf({ accessRequestId }: SessionRecord): string {
  return accessRequestId === undefined ? 'Standard' : 'JustInTime';
}

function startedFrom(value: string): Predicate {
  const time = ISO_8601.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(time)) throw invalid('Times must be ISO 8601, for example 2024-08-29T00:00:00Z.');
  return (session) => session.startDate >= time;
}

/** Stricter than `Date.parse`, which takes nearly anything. */
const ISO_8601 = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/;

function not(predicate: Predicate): Predicate {
  return (session) => !predicate(session);
}

function invalid(message: string): ApiError {
  return new ApiError('ValidationException', `1 validation error detected: ${message}`);
}
