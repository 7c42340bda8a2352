import { ApiError } from '../api-error.ts';
import { documentDescription } from '../document-description.ts';
import { readDocument } from '../document-text.ts';
import { isReserved } from '../documents.ts';
import { string, structure } from '../shape.ts';
import {
  DISPLAY_NAME,
  DOCUMENT_CONTENT,
  DOCUMENT_FORMAT,
  DOCUMENT_NAME,
  TARGET_TYPE,
  VERSION_NAME,
} from './document-input.ts';
import { type OperationParts, operation } from './operation.ts';
import { TAGS, tagsOf } from './tags.ts';

/**
 * CONTROL-PLANE.md section 2.6. Session documents alone: whoever leaves `DocumentType` out asks AWS for a `Command`
 * document.
 */
export function createDocument({ context, authorization, documents }: OperationParts) {
  return operation({
    name: 'CreateDocument',
    input: structure(
      { Name: DOCUMENT_NAME, Content: DOCUMENT_CONTENT },
      {
        DocumentType: string({ max: 128 }),
        DocumentFormat: DOCUMENT_FORMAT,
        VersionName: VERSION_NAME,
        DisplayName: DISPLAY_NAME,
        TargetType: TARGET_TYPE,
        Tags: TAGS,
      },
    ),

    async handle(input, call) {
      const { Name, Content, DocumentType = 'Command', DocumentFormat = 'JSON', Tags = [] } = input;
      const { VersionName, DisplayName, TargetType } = input;
      const tags = tagsOf(Tags);
      checkName(Name);
      await authorization.createDocument(call, Name, tags);
      if (DocumentType !== 'Session') throw wrongType(DocumentType, 'ValidationException');
      const content = readDocument(Name, Content, DocumentFormat);
      if (await documents.find(Name)) throw alreadyExists(Name);
      if (!(await documents.hasRoom())) {
        throw new ApiError(
          'DocumentLimitExceeded',
          `You can have at most ${context.limits.documents} active SSM documents.`,
        );
      }
      const record = await documents.create(
        Name,
        {
          content,
          format: DocumentFormat,
          ...(VersionName !== undefined && { versionName: VersionName }),
          ...(DisplayName !== undefined && { displayName: DisplayName }),
        },
        { tags, ...(TargetType !== undefined && { targetType: TargetType }) },
      );
      if (!record) throw alreadyExists(Name);
      return {
        DocumentDescription: documentDescription(record, record.versions[0]!, content, {
          scope: context,
          accountId: call.principal.accountId,
          status: 'Creating',
        }),
      };
    },
  });
}

/** In AWS's words. StartSession names the error otherwise. */
export function wrongType(type: string, awsCode: 'InvalidDocument' | 'ValidationException'): ApiError {
  return new ApiError(
    awsCode,
    `Document type: '${type}' is not supported. Only type: 'Session' is supported for Session Manager.`,
  );
}

function checkName(name: string): void {
  if (!isReserved(name)) return;
  throw new ApiError(
    'ValidationException',
    `1 validation error detected: Value '${name}' at 'name' failed to satisfy constraint: Member must not begin with aws, amazon or amzn`,
  );
}

function alreadyExists(name: string): ApiError {
  return new ApiError('DocumentAlreadyExists', `Document with name ${name} already exists.`);
}
