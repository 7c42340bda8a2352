import { type ArnScope, documentArn, isAmazons } from './arn.ts';
import type { DocumentRecord, DocumentVersionRecord } from './document-record.ts';
import { defaultVersionOf, latestVersionOf } from './documents.ts';

/** `Owner` of a document: an account, or Amazon. */
export function ownerOf({ name }: DocumentRecord, { accountId }: ArnScope): string {
  return isAmazons(name) ? 'Amazon' : accountId;
}

/** What a document is to an account (CONTROL-PLANE.md section 2.6, `Owner` of ListDocuments). */
export type DocumentRelation = 'Self' | 'Amazon' | 'Public' | 'Private';

/** `undefined` for a document of another account, which it has not shared. */
export function relationOf(
  record: DocumentRecord,
  accountId: string,
  scope: ArnScope,
): DocumentRelation | undefined {
  const owner = ownerOf(record, scope);
  if (owner === 'Amazon') return 'Amazon';
  if (owner === accountId) return 'Self';
  if (Object.hasOwn(record.sharedWith, accountId)) return 'Private';
  return Object.hasOwn(record.sharedWith, 'all') ? 'Public' : undefined;
}

/** Other accounts know a document by its ARN. */
export function nameFor(record: DocumentRecord, accountId: string, scope: ArnScope): string {
  const isOthers = ownerOf(record, scope) !== 'Amazon' && accountId !== scope.accountId;
  return isOthers ? documentArn(record.name, scope) : record.name;
}

/** The tags of a document as an account sees them: to others they are not shown, since they are not shared. */
export function tagsFor(
  { tags }: DocumentRecord,
  accountId: string,
  scope: ArnScope,
): Readonly<Record<string, string>> {
  return accountId === scope.accountId ? tags : {};
}

/** The versions that an account may use, oldest first: none when there is no {@link relationOf}. */
export function versionsFor(
  record: DocumentRecord,
  accountId: string,
  scope: ArnScope,
): readonly DocumentVersionRecord[] {
  const relation = relationOf(record, accountId, scope);
  if (relation === undefined) return [];
  if (relation === 'Self' || relation === 'Amazon') return record.versions;
  const shared = record.sharedWith[relation === 'Public' ? 'all' : accountId];
  if (shared === '$ALL') return record.versions;
  return [shared === '$LATEST' ? latestVersionOf(record) : defaultVersionOf(record)];
}

/** The version that sessions of an account are started with, and that it gets when it asks for none. */
export function usualVersionFor(
  record: DocumentRecord,
  accountId: string,
  scope: ArnScope,
): DocumentVersionRecord | undefined {
  const versions = versionsFor(record, accountId, scope);
  return versions.find(({ version }) => version === record.defaultVersion) ?? versions[0];
}
