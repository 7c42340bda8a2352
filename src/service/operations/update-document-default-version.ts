import { defaultVersionOf } from '../documents.ts';
import { string, structure } from '../shape.ts';
import { DOCUMENT_NAME, noSuchDocument, ownDocument, selectedVersion } from './document-input.ts';
import { type OperationParts, operation } from './operation.ts';

/** Sessions to come get this version. */
export function updateDocumentDefaultVersion(parts: OperationParts) {
  return operation({
    name: 'UpdateDocumentDefaultVersion',
    input: structure({ Name: DOCUMENT_NAME, DocumentVersion: string({ pattern: /(^[1-9][0-9]*$)/ }) }),

    async handle({ Name, DocumentVersion }, call) {
      await ownDocument(parts, call, 'ssm:UpdateDocumentDefaultVersion', Name);
      const record = await parts.documents.change(Name, (before) => {
        const selector = DocumentVersion;
        const { version } = selectedVersion(before, before.versions, { selector }, undefined);
        return { ...before, defaultVersion: version };
      });
      if (!record) throw noSuchDocument(Name);
      const { versionName } = defaultVersionOf(record);
      return {
        Description: {
          Name,
          DefaultVersion: DocumentVersion,
          ...(versionName !== undefined && { DefaultVersionName: versionName }),
        },
      };
    },
  });
}
