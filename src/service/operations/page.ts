import type { ServiceContext } from '../context.ts';
import { formatPageToken, type Position, parsePageToken } from './page-token.ts';

export interface PageRequest {
  readonly size: number;
  /** `NextToken` of the page before. */
  readonly token: string | undefined;
  /** Everything that must be the same from page to page, the caller included. */
  readonly query: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly next: { readonly NextToken?: string };
}

/** One page of a list, newest first. @throws {ApiError} `InvalidNextToken` */
export function pageOf<T>(
  all: readonly T[],
  positionOf: (item: T) => Position,
  { size, token, query }: PageRequest,
  { clock, digest }: Pick<ServiceContext, 'clock' | 'digest'>,
): Page<T> {
  const after = token === undefined ? undefined : parsePageToken(token, query, clock.now(), digest);
  const left = all
    .filter((item) => !after || compare(positionOf(item), after) > 0)
    .sort((a, b) => compare(positionOf(a), positionOf(b)));
  const items = left.slice(0, size);
  const last = items.at(-1);
  if (!last || left.length === items.length) return { items, next: {} };
  return { items, next: { NextToken: formatPageToken(positionOf(last), query, clock.now(), digest) } };
}

/** What has the same date goes by id, so that pages neither repeat nor skip any. */
function compare(a: Position, b: Position): number {
  if (a.date !== b.date) return b.date - a.date;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
