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
  const page: { readonly item: T; readonly position: Position }[] = [];
  let isLast = true;
  // To sort all of a long list for each page would cost more than all else that a call does.
  for (const item of all) {
    const position = positionOf(item);
    if (after && compare(position, after) <= 0) continue;
    if (page.length === size) {
      isLast = false;
      if (compare(position, page.at(-1)!.position) > 0) continue;
      page.pop();
    }
    page.splice(placeOf(position, page), 0, { item, position });
  }
  const items = page.map(({ item }) => item);
  if (isLast) return { items, next: {} };
  const last = page.at(-1)!.position;
  return { items, next: { NextToken: formatPageToken(last, query, clock.now(), digest) } };
}

/** Where it belongs in a sorted page. */
function placeOf(position: Position, page: readonly { readonly position: Position }[]): number {
  let from = 0;
  let to = page.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (compare(page[middle]!.position, position) < 0) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** What has the same date goes by id, so that pages neither repeat nor skip any. */
function compare(a: Position, b: Position): number {
  if (a.date !== b.date) return b.date - a.date;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
