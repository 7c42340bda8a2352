import { stringify as stringifyYaml } from 'yaml';
import { utf8 } from '../base/encoding.ts';
import { DocumentError } from '../core/documents/error.ts';
import { MAX_DOCUMENT_BYTES } from '../core/documents/json-value.ts';
import { parseSessionDocument } from '../core/documents/parse.ts';
import { ApiError } from './api-error.ts';
import type { DocumentContentRecord, DocumentFormat } from './document-record.ts';
import { parseYaml } from './yaml.ts';

/**
 * Reads the `Content` of CreateDocument and UpdateDocument (CONTROL-PLANE.md sections 2.6 and 3.1).
 *
 * @throws {ApiError} `MaxDocumentSizeExceeded`, `InvalidDocumentContent`, `InvalidDocumentSchemaVersion`
 */
export function readDocument(name: string, text: string, format: DocumentFormat): DocumentContentRecord {
  if (utf8(text).length > MAX_DOCUMENT_BYTES) throw tooLarge();
  try {
    return { text, document: parseSessionDocument(parseText(text, format), name) };
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error;
    throw new ApiError(CODES[error.code], error.message);
  }
}

/** The text of a document in the format that is asked for: as it was given, if it was given in that. */
export function textIn(wanted: DocumentFormat, text: string, given: DocumentFormat): string {
  if (wanted === given) return text;
  const value = parseText(text, given);
  return wanted === 'YAML' ? stringifyYaml(value) : JSON.stringify(value, undefined, 2);
}

const CODES: Readonly<Record<DocumentError['code'], string>> = {
  ERR_DOCUMENT: 'InvalidDocumentContent',
  ERR_DOCUMENT_SCHEMA_VERSION: 'InvalidDocumentSchemaVersion',
  ERR_DOCUMENT_SIZE: 'MaxDocumentSizeExceeded',
};

function tooLarge(): ApiError {
  return new ApiError('MaxDocumentSizeExceeded', 'The size limit of a document is 64 KB.');
}

function parseText(text: string, format: DocumentFormat): unknown {
  try {
    return format === 'JSON' ? JSON.parse(text) : parseYaml(text);
  } catch (error) {
    // A parser says where it stopped, and may quote a line of the caller's own text.
    const why = error instanceof SyntaxError || format === 'YAML' ? `: ${(error as Error).message}` : '';
    throw new ApiError('InvalidDocumentContent', `The content is not ${format}${why.slice(0, MAX_REASON)}`);
  }
}

/** Characters. */
const MAX_REASON = 200;
