import { ApiError } from '../api-error.ts';
import type { SharedVersion } from '../document-record.ts';
import { integer, list, string, structure } from '../shape.ts';
import { DOCUMENT_NAME, noSuchDocument, ownDocument } from './document-input.ts';
import { type OperationParts, operation } from './operation.ts';
import { pageOf } from './page.ts';

/** `AccountIdList` of the API model. */
const ACCOUNT_IDS = list(string({ pattern: /^(?:[Aa][Ll][Ll]|[0-9]{12})$/ }), { max: 20 });

/** CONTROL-PLANE.md section 2.6. Without accounts nothing changes. */
export function modifyDocumentPermission(parts: OperationParts) {
  const { context, documents } = parts;
  return operation({
    name: 'ModifyDocumentPermission',
    input: structure(
      { Name: DOCUMENT_NAME, PermissionType: string({ max: 128 }) },
      {
        AccountIdsToAdd: ACCOUNT_IDS,
        AccountIdsToRemove: ACCOUNT_IDS,
        SharedDocumentVersion: string<SharedVersion>({
          max: 8,
          values: ['$LATEST', '$DEFAULT', '$ALL'],
        }),
      },
    ),

    async handle(input, call) {
      const { Name, PermissionType, SharedDocumentVersion = '$DEFAULT' } = input;
      const { AccountIdsToAdd = [], AccountIdsToRemove = [] } = input;
      await ownDocument(parts, call, 'ssm:ModifyDocumentPermission', Name);
      checkPermissionType(PermissionType);
      const changed = await documents.change(Name, (record) => {
        const shared = new Map(Object.entries(record.sharedWith));
        for (const id of AccountIdsToRemove) shared.delete(id.toLowerCase());
        for (const id of AccountIdsToAdd) shared.set(id.toLowerCase(), SharedDocumentVersion);
        checkCount([...shared.keys()].filter((id) => id !== 'all').length, context.limits.documentAccounts);
        return { ...record, sharedWith: Object.fromEntries(shared) };
      });
      if (!changed) throw noSuchDocument(Name);
      return {};
    },
  });
}

export function describeDocumentPermission(parts: OperationParts) {
  return operation({
    name: 'DescribeDocumentPermission',
    input: structure(
      { Name: DOCUMENT_NAME, PermissionType: string({ max: 128 }) },
      { MaxResults: integer({ min: 1, max: 200 }), NextToken: string({ max: 2000 }) },
    ),

    async handle({ Name, PermissionType, MaxResults = 200, NextToken }, call) {
      const { sharedWith } = await ownDocument(parts, call, 'ssm:DescribeDocumentPermission', Name);
      checkPermissionType(PermissionType);
      const query = JSON.stringify(['document permission', Name, call.principal.arn]);
      const { items, next } = pageOf(
        Object.entries(sharedWith),
        ([id]) => ({ date: 0, id }),
        { size: MaxResults, token: NextToken, query },
        parts.context,
      );
      return {
        AccountIds: items.map(([id]) => id),
        AccountSharingInfoList: items.map(([AccountId, SharedDocumentVersion]) => ({
          AccountId,
          SharedDocumentVersion,
        })),
        ...next,
      };
    },
  });
}

function checkPermissionType(type: string): void {
  if (type === 'Share') return;
  throw new ApiError(
    'InvalidPermissionType',
    "The permission type isn't supported. Share is the only supported permission type.",
  );
}

function checkCount(count: number, limit: number): void {
  if (count <= limit) return;
  throw new ApiError(
    'DocumentPermissionLimit',
    `A document can be shared with ${limit} accounts, and would be with ${count}.`,
  );
}
