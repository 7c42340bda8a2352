import { HawserError } from '../../base/error.ts';

export type DocumentErrorCode =
  /** It is not what a session document must be (CONTROL-PLANE.md section 3.1). */
  | 'ERR_DOCUMENT'
  /** Its schemaVersion is not `1.0`. */
  | 'ERR_DOCUMENT_SCHEMA_VERSION'
  /** It has more than 64 KB, or is nested too deeply. */
  | 'ERR_DOCUMENT_SIZE';

/** A session document that no session could be started from. */
export class DocumentError extends HawserError {
  declare readonly code: DocumentErrorCode;
  /** Where in the document, for example `parameters.host.allowedPattern`; empty for the whole of it. */
  readonly path: string;
  /** What is wrong there, as the rest of a sentence that begins with the path: `must be a string`. */
  readonly reason: string;

  constructor({ name, path, reason, code = 'ERR_DOCUMENT', cause }: DocumentFlaw) {
    const document = name === undefined ? 'The session document' : `The session document ${quoted(name)}`;
    super(code, `${document} cannot be used: ${path || 'it'} ${reason}.`, cause ? { cause } : undefined);
    this.path = path;
    this.reason = reason;
  }
}

export interface DocumentFlaw {
  /** Of the document. */
  readonly name?: string | undefined;
  readonly path: string;
  readonly reason: string;
  readonly code?: DocumentErrorCode;
  readonly cause?: unknown;
}

/** Makes the error for a flaw, with what the one who finds it does not know. */
export type Refuse = (path: string, reason: string, more?: Pick<DocumentFlaw, 'code' | 'cause'>) => Error;

/** The parameters of a StartSession do not fit the document. AWS names it `InvalidParameters`. */
export class ParameterError extends HawserError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_PARAMETERS', message, options);
  }
}

/** A text from outside, for people: not longer than a line or two. */
export function quoted(text: string): string {
  return `"${text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text}"`;
}

const MAX_QUOTED = 400;
