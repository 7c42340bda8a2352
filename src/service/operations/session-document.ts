import { DEFAULT_DOCUMENT } from '../../core/documents/aws-documents.ts';
import type { SessionDocument } from '../../core/documents/session-document.ts';
import type { Principal } from '../../policy/index.ts';
import { documentName } from '../arn.ts';
import { usualVersionFor } from '../document-access.ts';
import { defaultVersionOf } from '../documents.ts';
import { wrongType } from './create-document.ts';
import { noSuchDocument } from './document-input.ts';
import type { OperationParts } from './operation.ts';

/**
 * The document that StartSession names, in its default version (CONTROL-PLANE.md sections 2.1 and 2.6). The account's
 * preferences are for everybody who may start sessions here, other documents for those accounts that they are shared
 * with.
 *
 * @throws {ApiError} `InvalidDocument`
 */
export async function sessionDocument(
  nameOrArn: string,
  { accountId }: Principal,
  { context, documents }: Pick<OperationParts, 'context' | 'documents'>,
): Promise<{
  readonly name: string;
  readonly document: SessionDocument;
  readonly tags: Readonly<Record<string, string>>;
}> {
  const name = documentName(nameOrArn, context);
  if (name === undefined) throw noSuchDocument(nameOrArn);
  const found = await documents.find(name);
  if (!found) {
    if (name === DEFAULT_DOCUMENT) return { name, document: documents.standIn(), tags: {} };
    if (COMMAND_DOCUMENTS.has(name)) throw wrongType('Command', 'InvalidDocument');
    throw noSuchDocument(nameOrArn);
  }
  const { record } = found;
  const version =
    name === DEFAULT_DOCUMENT ? defaultVersionOf(record) : usualVersionFor(record, accountId, context);
  const content = version && (await documents.content(found, version));
  if (!content) throw noSuchDocument(nameOrArn);
  return { name, document: content.document, tags: record.tags };
}

/** Of Run Command, which is not here. They are what people try. */
const COMMAND_DOCUMENTS: ReadonlySet<string> = new Set(['AWS-RunShellScript', 'AWS-RunPowerShellScript']);
