import { HawserError } from '../base/error.ts';
import { AWS_DOCUMENTS, DEFAULT_DOCUMENT } from '../core/documents/aws-documents.ts';
import { documentWarnings } from '../core/documents/command-tokens.ts';
import { parseSessionDocument } from '../core/documents/parse.ts';
import type { SessionDocument } from '../core/documents/session-document.ts';
import type { ServiceContext } from './context.ts';
import { change } from './store.ts';

/** A session document that has been registered. */
export interface DocumentRegistration {
  /** What is allowed and hardly meant, for people: most of all a parameter whose value can be any command. */
  readonly warnings: readonly string[];
}

/** The session documents of a service: those registered, those of its options, and AWS's own. The first wins. */
export class Documents {
  readonly #context: ServiceContext;
  readonly #given: ReadonlyMap<string, SessionDocument>;

  /** @throws {DocumentError} @throws {HawserError} `ERR_DOCUMENT_NAME` */
  constructor(context: ServiceContext, given: Readonly<Record<string, SessionDocument>> = {}) {
    this.#context = context;
    const own = Object.entries(given).map(([name, document]): [string, SessionDocument] => {
      checkName(name);
      return [name, parseSessionDocument(document, name)];
    });
    this.#given = new Map([...Object.entries(AWS_DOCUMENTS), ...own]);
  }

  /** @throws {DocumentError} @throws {HawserError} `ERR_DOCUMENT_NAME`, `ERR_DOCUMENT_LIMIT` */
  async register(name: string, document: SessionDocument): Promise<DocumentRegistration> {
    checkName(name);
    if (RESERVED.test(name)) throw unfitName(name, 'begins as the names of documents that AWS owns do');
    const record = { name, content: parseSessionDocument(document, name) };
    const { documents } = this.#context.store;
    if (!(await change(documents, name, () => record))) {
      await this.#checkCount();
      // Unless somebody else was first, at another service.
      if (!(await documents.create(name, record))) await change(documents, name, () => record);
    }
    return { warnings: documentWarnings(record.content) };
  }

  async get(name: string): Promise<SessionDocument | undefined> {
    return (await this.#context.store.documents.get(name))?.value.content ?? this.#given.get(name);
  }

  /** The document whose preferences reach the sessions of those that have none. */
  async preferences(): Promise<SessionDocument | undefined> {
    return this.get(DEFAULT_DOCUMENT);
  }

  async #checkCount(): Promise<void> {
    const { limits, store } = this.#context;
    if ((await store.documents.list()).length < limits.documents) return;
    throw new HawserError(
      'ERR_DOCUMENT_LIMIT',
      `${limits.documents} session documents are registered, which is the limit (limits.documents).`,
    );
  }
}

/** CONTROL-PLANE.md section 2.6. */
const RESERVED = /^(?:aws|amazon|amzn)/i;

function checkName(name: string): void {
  if (/^[a-zA-Z0-9_\-.]{3,128}$/.test(name)) return;
  throw unfitName(name, 'is not 3 to 128 letters, digits, or any of _ - .');
}

function unfitName(name: string, why: string): HawserError {
  const shown = JSON.stringify(name.slice(0, 128));
  return new HawserError('ERR_DOCUMENT_NAME', `A session document cannot be called ${shown}: that ${why}.`);
}
