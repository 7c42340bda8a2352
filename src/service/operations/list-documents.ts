import { ApiError } from '../api-error.ts';
import { relationOf } from '../document-access.ts';
import { documentIdentifier } from '../document-description.ts';
import { type Infer, integer, string, structure } from '../shape.ts';
import {
  DOCUMENT_FILTER_LIST,
  DOCUMENT_FILTERS,
  type DocumentFilter,
  documentFilter,
} from './document-filter.ts';
import { type OperationParts, operation } from './operation.ts';
import { pageOf } from './page.ts';

const INPUT = structure(
  {},
  {
    DocumentFilterList: DOCUMENT_FILTER_LIST,
    Filters: DOCUMENT_FILTERS,
    MaxResults: integer({ min: 1, max: 50 }),
    NextToken: string({ max: 2000 }),
  },
);

/** CONTROL-PLANE.md section 2.6. What the caller's account owns, may use, and Amazon's, by name. */
export function listDocuments({ context, authorization, documents }: OperationParts) {
  return operation({
    name: 'ListDocuments',
    input: INPUT,

    async handle(input, call) {
      await authorization.account(call, 'ssm:ListDocuments');
      const { accountId } = call.principal;
      const { MaxResults = 50, NextToken } = input;
      const filters = filtersOf(input);
      const passes = documentFilter(filters, accountId, context);
      const found = (await documents.list())
        .map(({ record }) => record)
        .filter((record) => relationOf(record, accountId, context) !== undefined && passes(record));
      const query = JSON.stringify(['documents', filters, call.principal.arn]);
      const { items, next } = pageOf(
        found,
        ({ name }) => ({ date: 0, id: name }),
        { size: MaxResults, token: NextToken, query },
        context,
      );
      return {
        DocumentIdentifiers: items.map((record) => documentIdentifier(record, context, accountId)),
        ...next,
      };
    },
  });
}

function filtersOf(input: Infer<typeof INPUT>): readonly DocumentFilter[] {
  const { DocumentFilterList: older, Filters: newer } = input;
  if (older && newer) {
    throw new ApiError('ValidationException', 'Filters and DocumentFilterList cannot be used together.');
  }
  return [
    ...(older ?? []).map(({ key, value }) => ({ key, values: [value] })),
    ...(newer ?? []).map(({ Key = '', Values = [] }) => ({ key: Key, values: Values })),
  ];
}
