import { ApiError } from '../api-error.ts';
import { documentName } from '../arn.ts';
import type { DocumentAction } from '../authorization.ts';
import type { Caller } from '../caller.ts';
import { relationOf } from '../document-access.ts';
import type { DocumentFormat, DocumentRecord, DocumentVersionRecord } from '../document-record.ts';
import { defaultVersionOf, type FoundDocument, latestVersionOf } from '../documents.ts';
import { string } from '../shape.ts';
import type { OperationParts } from './operation.ts';

export const DOCUMENT_NAME = string({ pattern: /^[a-zA-Z0-9_\-.]{3,128}$/ });
export const DOCUMENT_ARN = string({ pattern: /^[a-zA-Z0-9_\-.:/]{3,128}$/ });
export const DOCUMENT_CONTENT = string({ min: 1, sensitive: true });
export const DOCUMENT_FORMAT = string<DocumentFormat>({ values: ['YAML', 'JSON'] });
export const DOCUMENT_VERSION = string({ pattern: /([$]LATEST|[$]DEFAULT|^[1-9][0-9]*$)/ });
export const VERSION_NAME = string({ pattern: /^[a-zA-Z0-9_\-.]{1,128}$/ });
export const DISPLAY_NAME = string({ max: 1024, pattern: /^[\w.\-:/ ]*$/ });
export const TARGET_TYPE = string({ max: 200, pattern: /^\/[\w.\-:/]*$/ });

type Parts = Pick<OperationParts, 'context' | 'authorization' | 'documents'>;

/** A document to read, by name or ARN. @throws {ApiError} `AccessDeniedException`, `InvalidDocument` */
export async function readableDocument(
  { context, authorization, documents }: Parts,
  caller: Caller,
  action: DocumentAction,
  nameOrArn: string,
): Promise<FoundDocument> {
  const name = documentName(nameOrArn, context);
  const found = name === undefined ? undefined : await documents.find(name);
  await authorization.document(caller, action, nameOrArn, found?.record.tags ?? {});
  if (!found || !relationOf(found.record, caller.principal.accountId, context))
    throw noSuchDocument(nameOrArn);
  return found;
}

/**
 * A document to change, which only its own account can.
 *
 * @throws {ApiError} `AccessDeniedException`, `InvalidDocument`, `InvalidDocumentOperation`
 */
export async function ownDocument(
  { context, authorization, documents }: Parts,
  caller: Caller,
  action: DocumentAction,
  name: string,
): Promise<DocumentRecord> {
  const found = await documents.find(name);
  await authorization.document(caller, action, name, found?.record.tags ?? {});
  if (!found || caller.principal.accountId !== context.accountId) throw noSuchDocument(name);
  if (!found.fixed) return found.record;
  throw new ApiError(
    'InvalidDocumentOperation',
    `Document ${name} cannot be changed: it is Amazon's, or comes with the service.`,
  );
}

/**
 * @param versions to choose from
 * @param selector a number, `$LATEST` or `$DEFAULT`
 * @param versionName must be that of the same version when both are given
 * @param otherwise when neither is given
 * @throws {ApiError} `InvalidDocumentVersion`
 */
export function selectedVersion(
  record: DocumentRecord,
  versions: readonly DocumentVersionRecord[],
  { selector, versionName }: { selector?: string | undefined; versionName?: string | undefined },
  otherwise: DocumentVersionRecord | undefined,
): DocumentVersionRecord {
  const selected =
    selector === '$LATEST'
      ? latestVersionOf(record)
      : selector === '$DEFAULT'
        ? defaultVersionOf(record)
        : selector !== undefined
          ? versions.find(({ version }) => `${version}` === selector)
          : versionName !== undefined
            ? versions.find((version) => version.versionName === versionName)
            : otherwise;
  const isRight = versionName === undefined || selected?.versionName === versionName;
  if (selected && isRight && versions.includes(selected)) return selected;
  throw invalidVersion();
}

export function noSuchDocument(nameOrArn: string): ApiError {
  return new ApiError('InvalidDocument', `Document with name ${nameOrArn} does not exist.`);
}

export function invalidVersion(): ApiError {
  return new ApiError('InvalidDocumentVersion', 'The document version is not valid or does not exist.');
}
