import { ApiError } from '../api-error.ts';
import type { ArnScope } from '../arn.ts';
import { relationOf, tagsFor } from '../document-access.ts';
import { PLATFORM_TYPES } from '../document-description.ts';
import type { DocumentRecord } from '../document-record.ts';
import { list, string, structure } from '../shape.ts';

/** The older form, in lower case. */
export const DOCUMENT_FILTER_LIST = list(structure({ key: string(), value: string({ min: 1 }) }), { min: 1 });

export const DOCUMENT_FILTERS = list(
  structure({}, { Key: string({ min: 1, max: 128 }), Values: list(string({ min: 1, max: 256 })) }),
  { max: 6 },
);

/** Either form, once read. */
export interface DocumentFilter {
  readonly key: string;
  readonly values: readonly string[];
}

type Predicate = (record: DocumentRecord) => boolean;

/**
 * Whether a document passes all filters (CONTROL-PLANE.md section 2.6): by one of the values of each.
 *
 * @param accountId of the caller
 * @throws {ApiError} `InvalidFilterKey`, `ValidationException`
 */
export function documentFilter(
  filters: readonly DocumentFilter[],
  accountId: string,
  scope: ArnScope,
): Predicate {
  const predicates = filters.map((filter) => predicateOf(filter, accountId, scope));
  return (record) => predicates.every((passes) => passes(record));
}

function predicateOf({ key, values }: DocumentFilter, accountId: string, scope: ArnScope): Predicate {
  if (key.startsWith('tag:')) {
    const name = key.slice('tag:'.length);
    return (record) => {
      const tags = tagsFor(record, accountId, scope);
      return Object.hasOwn(tags, name) && values.includes(tags[name]!);
    };
  }
  switch (key) {
    case 'Owner':
      return ownerFilter(values, accountId, scope);
    case 'Name':
      return ({ name }) => values.some((start) => name.startsWith(start));
    case 'PlatformTypes':
      return () => values.some((value) => PLATFORM_TYPES.includes(value));
    case 'DocumentType':
      return () => values.includes('Session');
    case 'TargetType':
      return ({ targetType }) => targetType !== undefined && values.includes(targetType);
    default:
      throw new ApiError('InvalidFilterKey', '');
  }
}

/** Of the account itself, documents that are shared with everybody are `Public` as well. */
function ownerFilter(values: readonly string[], accountId: string, scope: ArnScope): Predicate {
  const wrong = values.find((value) => !OWNERS.includes(value));
  if (wrong !== undefined) {
    throw new ApiError(
      'ValidationException',
      `1 validation error detected: Owner must be one of ${OWNERS.join(', ')}.`,
    );
  }
  return (record) =>
    values.some((value) =>
      value === 'All'
        ? true
        : value === 'Public'
          ? Object.hasOwn(record.sharedWith, 'all')
          : relationOf(record, accountId, scope) === value,
    );
}

const OWNERS: readonly string[] = ['Self', 'Amazon', 'Public', 'Private', 'ThirdParty', 'All'];
