import type { DocumentParameter, SessionDocument } from '../core/documents/session-document.ts';
import type { ArnScope } from './arn.ts';
import { nameFor, ownerOf, tagsFor } from './document-access.ts';
import type { DocumentContentRecord, DocumentRecord, DocumentVersionRecord } from './document-record.ts';
import { defaultVersionOf, latestVersionOf } from './documents.ts';

/** `Active` but in the answers of CreateDocument and UpdateDocument: what they do is done by then. */
export type DocumentStatus = 'Active' | 'Creating' | 'Updating';

/** The `DocumentDescription` shape. */
export function documentDescription(
  record: DocumentRecord,
  version: DocumentVersionRecord,
  { document }: DocumentContentRecord,
  { scope, accountId, status }: { scope: ArnScope; accountId: string; status: DocumentStatus },
): object {
  return {
    Hash: version.hash,
    HashType: 'Sha256',
    Name: nameFor(record, accountId, scope),
    ...versionNames(version),
    Owner: ownerOf(record, scope),
    CreatedDate: version.createdDate / 1000,
    Status: status,
    DocumentVersion: `${version.version}`,
    ...(document.description !== undefined && { Description: document.description }),
    Parameters: parametersOf(document),
    ...SESSION,
    LatestVersion: `${latestVersionOf(record).version}`,
    DefaultVersion: `${record.defaultVersion}`,
    DocumentFormat: version.format,
    ...(record.targetType !== undefined && { TargetType: record.targetType }),
    Tags: tagList(tagsFor(record, accountId, scope)),
  };
}

/** The `DocumentIdentifier` shape, of the default version. */
export function documentIdentifier(record: DocumentRecord, scope: ArnScope, accountId: string): object {
  const version = defaultVersionOf(record);
  return {
    Name: nameFor(record, accountId, scope),
    CreatedDate: record.createdDate / 1000,
    ...versionNames(version),
    Owner: ownerOf(record, scope),
    DocumentVersion: `${version.version}`,
    ...SESSION,
    DocumentFormat: version.format,
    ...(record.targetType !== undefined && { TargetType: record.targetType }),
    Tags: tagList(tagsFor(record, accountId, scope)),
  };
}

/** The `DocumentVersionInfo` shape. */
export function documentVersionInfo(
  record: DocumentRecord,
  version: DocumentVersionRecord,
  scope: ArnScope,
  accountId: string,
): object {
  return {
    Name: nameFor(record, accountId, scope),
    DocumentVersion: `${version.version}`,
    ...versionNames(version),
    CreatedDate: version.createdDate / 1000,
    IsDefaultVersion: version.version === record.defaultVersion,
    DocumentFormat: version.format,
    Status: 'Active',
  };
}

/** `PlatformTypes` of every session document. */
export const PLATFORM_TYPES: readonly string[] = ['Windows', 'Linux', 'MacOS'];

const SESSION = { PlatformTypes: PLATFORM_TYPES, DocumentType: 'Session', SchemaVersion: '1.0' };

export function versionNames({ versionName, displayName }: DocumentVersionRecord): object {
  return {
    ...(versionName !== undefined && { VersionName: versionName }),
    ...(displayName !== undefined && { DisplayName: displayName }),
  };
}

function tagList(tags: Readonly<Record<string, string>>): readonly object[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

function parametersOf({ parameters = {} }: SessionDocument): readonly object[] {
  return Object.entries(parameters).map(([Name, parameter]) => ({
    Name,
    // The API has two types, whatever the document says.
    Type: /list$/i.test(parameter.type) ? 'StringList' : 'String',
    ...(parameter.description !== undefined && { Description: parameter.description }),
    ...(parameter.default !== undefined && { DefaultValue: textOf(parameter) }),
  }));
}

function textOf({ default: value }: DocumentParameter): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
