import { DEFAULT_DOCUMENT } from '../../core/documents/aws-documents.ts';
import { ApiError } from '../api-error.ts';
import { documentDescription } from '../document-description.ts';
import type { DocumentRecord } from '../document-record.ts';
import { readDocument } from '../document-text.ts';
import { latestVersionOf, type NewVersion } from '../documents.ts';
import { structure } from '../shape.ts';
import {
  DISPLAY_NAME,
  DOCUMENT_CONTENT,
  DOCUMENT_FORMAT,
  DOCUMENT_NAME,
  DOCUMENT_VERSION,
  noSuchDocument,
  ownDocument,
  selectedVersion,
  TARGET_TYPE,
  VERSION_NAME,
} from './document-input.ts';
import { type OperationParts, operation } from './operation.ts';

/**
 * Adds a version. Sessions go on with the default one until UpdateDocumentDefaultVersion says otherwise, but for the
 * preferences, which AWS's guide has people change by this call alone (CONTROL-PLANE.md section 2.6).
 */
export function updateDocument(parts: OperationParts) {
  const { context, documents } = parts;
  return operation({
    name: 'UpdateDocument',
    input: structure(
      { Name: DOCUMENT_NAME, Content: DOCUMENT_CONTENT },
      {
        DocumentVersion: DOCUMENT_VERSION,
        DocumentFormat: DOCUMENT_FORMAT,
        VersionName: VERSION_NAME,
        DisplayName: DISPLAY_NAME,
        TargetType: TARGET_TYPE,
      },
    ),

    async handle(input, call) {
      const { Name, Content, DocumentFormat = 'JSON' } = input;
      const { VersionName, DisplayName, TargetType, DocumentVersion = '$LATEST' } = input;
      await ownDocument(parts, call, 'ssm:UpdateDocument', Name);
      const content = readDocument(Name, Content, DocumentFormat);
      const record = await documents.addVersion(
        Name,
        {
          content,
          format: DocumentFormat,
          ...(VersionName !== undefined && { versionName: VersionName }),
          ...(DisplayName !== undefined && { displayName: DisplayName }),
        },
        (before, version) => {
          // Only the latest version can be updated.
          selectedVersion(before, [latestVersionOf(before)], { selector: DocumentVersion }, undefined);
          const after = withVersion(before, version, context.limits.documentVersions);
          return TargetType === undefined ? after : { ...after, targetType: TargetType };
        },
      );
      if (!record) throw noSuchDocument(Name);
      return {
        DocumentDescription: documentDescription(record, latestVersionOf(record), content, {
          scope: context,
          accountId: call.principal.accountId,
          status: 'Updating',
        }),
      };
    },
  });
}

/** @throws {ApiError} `DuplicateDocumentContent`, `DuplicateDocumentVersionName`, `DocumentVersionLimitExceeded` */
function withVersion(record: DocumentRecord, version: NewVersion, limit: number): DocumentRecord {
  const { versions } = record;
  const latest = latestVersionOf(record);
  if (latest.hash === version.hash && latest.format === version.format) {
    throw new ApiError(
      'DuplicateDocumentContent',
      `The content is that of version ${latest.version}, the latest, already.`,
    );
  }
  const { versionName } = version;
  if (versionName !== undefined && versions.some((other) => other.versionName === versionName)) {
    throw new ApiError(
      'DuplicateDocumentVersionName',
      `The version name ${versionName} has been used in this document.`,
    );
  }
  if (versions.length >= limit) {
    throw new ApiError(
      'DocumentVersionLimitExceeded',
      `The document has ${versions.length} versions, which is the limit. Delete one and try again.`,
    );
  }
  const lastVersion = record.lastVersion + 1;
  return {
    ...record,
    versions: [...versions, { ...version, version: lastVersion }],
    lastVersion,
    ...(record.name === DEFAULT_DOCUMENT && { defaultVersion: lastVersion }),
  };
}
