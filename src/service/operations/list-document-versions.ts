import { versionsFor } from '../document-access.ts';
import { documentVersionInfo } from '../document-description.ts';
import type { DocumentVersionRecord } from '../document-record.ts';
import { integer, string, structure } from '../shape.ts';
import { DOCUMENT_ARN, readableDocument } from './document-input.ts';
import { type OperationParts, operation } from './operation.ts';
import { pageOf } from './page.ts';

/** Newest first. */
export function listDocumentVersions(parts: OperationParts) {
  const { context } = parts;
  return operation({
    name: 'ListDocumentVersions',
    input: structure(
      { Name: DOCUMENT_ARN },
      { MaxResults: integer({ min: 1, max: 50 }), NextToken: string({ max: 2000 }) },
    ),

    async handle({ Name, MaxResults = 50, NextToken }, call) {
      const { record } = await readableDocument(parts, call, 'ssm:ListDocumentVersions', Name);
      const query = JSON.stringify(['document versions', record.name, call.principal.arn]);
      const { items, next } = pageOf(
        versionsFor(record, call.principal.accountId, context),
        positionOf,
        { size: MaxResults, token: NextToken, query },
        context,
      );
      return {
        DocumentVersions: items.map((version) =>
          documentVersionInfo(record, version, context, call.principal.accountId),
        ),
        ...next,
      };
    },
  });
}

function positionOf({ version, contentId }: DocumentVersionRecord) {
  return { date: version, id: contentId };
}
