import { nameFor, usualVersionFor, versionsFor } from '../document-access.ts';
import { documentDescription, versionNames } from '../document-description.ts';
import { textIn } from '../document-text.ts';
import { structure } from '../shape.ts';
import {
  DOCUMENT_ARN,
  DOCUMENT_FORMAT,
  DOCUMENT_VERSION,
  noSuchDocument,
  readableDocument,
  selectedVersion,
  VERSION_NAME,
} from './document-input.ts';
import { type Call, type OperationParts, operation } from './operation.ts';

/** In the format of the version, or in the one that is asked for (CONTROL-PLANE.md section 2.6). */
export function getDocument(parts: OperationParts) {
  return operation({
    name: 'GetDocument',
    input: structure(
      { Name: DOCUMENT_ARN },
      { DocumentVersion: DOCUMENT_VERSION, VersionName: VERSION_NAME, DocumentFormat: DOCUMENT_FORMAT },
    ),

    async handle(input, call) {
      const { record, version, content } = await readVersion(parts, call, 'ssm:GetDocument', input);
      const { DocumentFormat = version.format } = input;
      return {
        Name: nameFor(record, call.principal.accountId, parts.context),
        CreatedDate: version.createdDate / 1000,
        ...versionNames(version),
        DocumentVersion: `${version.version}`,
        Status: 'Active',
        Content: textIn(DocumentFormat, content.text, version.format),
        DocumentType: 'Session',
        DocumentFormat,
      };
    },
  });
}

/** All but the content. */
export function describeDocument(parts: OperationParts) {
  return operation({
    name: 'DescribeDocument',
    input: structure(
      { Name: DOCUMENT_ARN },
      { DocumentVersion: DOCUMENT_VERSION, VersionName: VERSION_NAME },
    ),

    async handle(input, call) {
      const action = 'ssm:DescribeDocument';
      const { record, version, content } = await readVersion(parts, call, action, input);
      const { accountId } = call.principal;
      return {
        Document: documentDescription(record, version, content, {
          scope: parts.context,
          accountId,
          status: 'Active',
        }),
      };
    },
  });
}

interface VersionInput {
  readonly Name: string;
  readonly DocumentVersion?: string;
  readonly VersionName?: string;
}

async function readVersion(
  parts: OperationParts,
  call: Call,
  action: 'ssm:GetDocument' | 'ssm:DescribeDocument',
  { Name, DocumentVersion: selector, VersionName: versionName }: VersionInput,
) {
  const { context, documents } = parts;
  const { accountId } = call.principal;
  const found = await readableDocument(parts, call, action, Name);
  const { record } = found;
  const version = selectedVersion(
    record,
    versionsFor(record, accountId, context),
    { selector, versionName },
    usualVersionFor(record, accountId, context),
  );
  const content = await documents.content(found, version);
  if (!content) throw noSuchDocument(Name);
  return { record, version, content };
}
