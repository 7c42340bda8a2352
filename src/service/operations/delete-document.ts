import { ApiError } from '../api-error.ts';
import { boolean, structure } from '../shape.ts';
import {
  DOCUMENT_NAME,
  DOCUMENT_VERSION,
  noSuchDocument,
  ownDocument,
  selectedVersion,
  VERSION_NAME,
} from './document-input.ts';
import { type OperationParts, operation } from './operation.ts';

/** The whole document, or one version that is not the default (CONTROL-PLANE.md section 2.6). Sessions go on. */
export function deleteDocument(parts: OperationParts) {
  const { documents } = parts;
  return operation({
    name: 'DeleteDocument',
    input: structure(
      { Name: DOCUMENT_NAME },
      // Of ApplicationConfigurationSchema documents.
      { DocumentVersion: DOCUMENT_VERSION, VersionName: VERSION_NAME, Force: boolean() },
    ),

    async handle({ Name, DocumentVersion: selector, VersionName: versionName }, call) {
      const record = await ownDocument(parts, call, 'ssm:DeleteDocument', Name);
      if (selector === undefined && versionName === undefined) {
        if (Object.keys(record.sharedWith).length > 0) {
          throw new ApiError(
            'InvalidDocumentOperation',
            `Document ${Name} is shared with other accounts. Stop sharing it, and delete it then.`,
          );
        }
        await documents.delete(Name);
        return {};
      }
      const changed = await documents.change(Name, (before) => {
        const gone = selectedVersion(before, before.versions, { selector, versionName }, undefined);
        if (gone.version === before.defaultVersion) {
          throw new ApiError(
            'InvalidDocumentOperation',
            `Version ${gone.version} of document ${Name} is the default version, which cannot be deleted alone.`,
          );
        }
        return { ...before, versions: before.versions.filter((version) => version !== gone) };
      });
      if (!changed) throw noSuchDocument(Name);
      return {};
    },
  });
}
