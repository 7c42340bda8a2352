import { HawserError } from '../base/error.ts';
import { AWS_DOCUMENTS, DEFAULT_DOCUMENT } from '../core/documents/aws-documents.ts';
import { documentWarnings } from '../core/documents/command-tokens.ts';
import { parseSessionDocument } from '../core/documents/parse.ts';
import type { SessionDocument } from '../core/documents/session-document.ts';
import type { ServiceContext } from './context.ts';
import type {
  DocumentContentRecord,
  DocumentFormat,
  DocumentRecord,
  DocumentVersionRecord,
} from './document-record.ts';
import { type FixedDocument, fixedDocument } from './fixed-document.ts';
import { change, remove } from './store.ts';
import { sha256Text } from './token.ts';

/** A session document that has been registered. */
export interface DocumentRegistration {
  /** What is allowed and hardly meant, for people: most of all a parameter whose value can be any command. */
  readonly warnings: readonly string[];
}

/** A document as it was found. */
export interface FoundDocument {
  readonly record: DocumentRecord;
  /** Amazon's, or of the options of the service: no call changes it. */
  readonly fixed?: FixedDocument;
}

/** What a version of a document is made of. */
export interface DocumentDraft {
  readonly content: DocumentContentRecord;
  readonly format: DocumentFormat;
  readonly versionName?: string;
  readonly displayName?: string;
}

/** A version that is not part of a document yet; its content is in the store. */
export type NewVersion = Omit<DocumentVersionRecord, 'version'>;

/**
 * The session documents of a service: those of the store, those of its options, and AWS's own. The first wins. Every
 * change of a document is made here.
 */
export class Documents {
  readonly #context: ServiceContext;
  readonly #fixed: ReadonlyMap<string, FixedDocument>;

  /** @throws {DocumentError} @throws {HawserError} `ERR_DOCUMENT_NAME` */
  constructor(context: ServiceContext, given: Readonly<Record<string, SessionDocument>> = {}) {
    this.#context = context;
    const own = Object.entries(given).map(([name, document]): [string, SessionDocument] => {
      checkName(name);
      return [name, parseSessionDocument(document, name)];
    });
    const documents = new Map([...Object.entries(AWS_DOCUMENTS), ...own]);
    this.#fixed = new Map(
      [...documents].map(([name, document]) => [name, fixedDocument(name, document, context)]),
    );
  }

  /** @throws {DocumentError} @throws {HawserError} `ERR_DOCUMENT_NAME`, `ERR_DOCUMENT_LIMIT` */
  async register(name: string, document: SessionDocument): Promise<DocumentRegistration> {
    checkName(name);
    if (isReserved(name)) throw unfitName(name, 'begins as the names of documents that AWS owns do');
    const parsed = parseSessionDocument(document, name);
    const content = { text: JSON.stringify(parsed, undefined, 2), document: parsed };
    const draft: DocumentDraft = { content, format: 'JSON' };
    if (!(await this.#replace(name, draft))) {
      await this.#checkCount();
      // Unless somebody else was first, at another service.
      if (!(await this.create(name, draft, {}))) await this.#replace(name, draft);
    }
    return { warnings: documentWarnings(parsed) };
  }

  /** As the calls on documents know it: the stand-in for preferences that nobody made is not there for them. */
  async find(name: string): Promise<FoundDocument | undefined> {
    const record = (await this.#context.store.documents.get(name))?.value;
    if (record) return { record };
    const fixed = this.#fixed.get(name);
    return fixed && !fixed.isStandIn ? { record: fixed.record, fixed } : undefined;
  }

  /** In no order. */
  async list(): Promise<readonly FoundDocument[]> {
    const stored = (await this.#context.store.documents.list()).map(({ value }) => ({ record: value }));
    const names = new Set(stored.map(({ record }) => record.name));
    const fixed = [...this.#fixed.values()]
      .filter(({ record, isStandIn }) => !isStandIn && !names.has(record.name))
      .map((document) => ({ record: document.record, fixed: document }));
    return [...stored, ...fixed];
  }

  /** `undefined` when it has been removed since. */
  async content(
    { fixed }: FoundDocument,
    { contentId }: DocumentVersionRecord,
  ): Promise<DocumentContentRecord | undefined> {
    return fixed ? fixed.content : (await this.#context.store.documentContents.get(contentId))?.value;
  }

  /** The document whose preferences reach the sessions of those that have none. */
  async preferences(): Promise<SessionDocument | undefined> {
    const found = await this.find(DEFAULT_DOCUMENT);
    if (!found) return this.standIn();
    return (await this.content(found, defaultVersionOf(found.record)))?.document;
  }

  /** The preferences of an account that made none. */
  standIn(): SessionDocument {
    return AWS_DOCUMENTS[DEFAULT_DOCUMENT]!;
  }

  /** `undefined` when the name is taken. */
  async create(
    name: string,
    draft: DocumentDraft,
    { tags = {}, targetType }: Partial<Pick<DocumentRecord, 'tags' | 'targetType'>>,
  ): Promise<DocumentRecord | undefined> {
    return this.#withContent(draft, async (version) => {
      const record: DocumentRecord = {
        name,
        createdDate: version.createdDate,
        versions: [{ ...version, version: 1 }],
        defaultVersion: 1,
        lastVersion: 1,
        tags,
        sharedWith: {},
        ...(targetType !== undefined && { targetType }),
      };
      return (await this.#context.store.documents.create(name, record))?.value;
    });
  }

  /**
   * Adds a version, and what else `next` makes of it.
   *
   * @param next as for {@link change}; may throw
   * @returns `undefined` when there is no such document
   */
  async addVersion(
    name: string,
    draft: DocumentDraft,
    next: (record: DocumentRecord, version: NewVersion) => DocumentRecord | undefined,
  ): Promise<DocumentRecord | undefined> {
    return this.#withContent(draft, (version) => this.change(name, (record) => next(record, version)));
  }

  /** Contents of versions that are gone go as well. @returns `undefined` when there is no such document */
  async change(
    name: string,
    next: (record: DocumentRecord) => DocumentRecord | undefined,
  ): Promise<DocumentRecord | undefined> {
    const made = await change(this.#context.store.documents, name, next);
    if (!made) return undefined;
    const kept = new Set(made.after.versions.map(({ contentId }) => contentId));
    await this.#removeContents(made.before.versions.filter(({ contentId }) => !kept.has(contentId)));
    return made.after;
  }

  async delete(name: string): Promise<void> {
    const record = await remove(this.#context.store.documents, name);
    if (record) await this.#removeContents(record.versions);
  }

  /** Whether there may be another document. */
  async hasRoom(): Promise<boolean> {
    const { limits, store } = this.#context;
    return (await store.documents.list()).length < limits.documents;
  }

  /**
   * Makes a draft the default version of a document, the same version when its latest says just that. The oldest go
   * where there is no room: a host that registers its documents at every start has no use for them.
   */
  async #replace(name: string, draft: DocumentDraft): Promise<DocumentRecord | undefined> {
    const { documentVersions } = this.#context.limits;
    return this.addVersion(name, draft, (record, version) => {
      const latest = latestVersionOf(record);
      if (latest.hash === version.hash && latest.format === version.format) {
        return { ...record, defaultVersion: latest.version };
      }
      const lastVersion = record.lastVersion + 1;
      const versions = [...record.versions, { ...version, version: lastVersion }].slice(-documentVersions);
      return { ...record, versions, lastVersion, defaultVersion: lastVersion };
    });
  }

  /** What has no version in the end that names it is removed again. */
  async #withContent(
    { content, format, versionName, displayName }: DocumentDraft,
    use: (version: NewVersion) => Promise<DocumentRecord | undefined>,
  ): Promise<DocumentRecord | undefined> {
    const { store, random, wallClock, digest } = this.#context;
    const contentId = random.uuid();
    await store.documentContents.create(contentId, content);
    let record: DocumentRecord | undefined;
    try {
      record = await use({
        contentId,
        format,
        hash: sha256Text(content.text, digest),
        createdDate: wallClock.now(),
        ...(versionName !== undefined && { versionName }),
        ...(displayName !== undefined && { displayName }),
      });
    } finally {
      const isUsed = record?.versions.some((version) => version.contentId === contentId);
      if (!isUsed) await remove(store.documentContents, contentId);
    }
    return record;
  }

  async #removeContents(versions: readonly DocumentVersionRecord[]): Promise<void> {
    const { documentContents } = this.#context.store;
    await Promise.all(versions.map(({ contentId }) => remove(documentContents, contentId)));
  }

  async #checkCount(): Promise<void> {
    if (await this.hasRoom()) return;
    const { documents } = this.#context.limits;
    throw new HawserError(
      'ERR_DOCUMENT_LIMIT',
      `${documents} session documents are registered, which is the limit (limits.documents).`,
    );
  }
}

export function defaultVersionOf({ versions, defaultVersion }: DocumentRecord): DocumentVersionRecord {
  return versions.find(({ version }) => version === defaultVersion)!;
}

export function latestVersionOf({ versions }: DocumentRecord): DocumentVersionRecord {
  return versions.at(-1)!;
}

/** What AWS keeps for itself (CONTROL-PLANE.md section 2.6). */
export function isReserved(name: string): boolean {
  return /^(?:aws|amazon|amzn)/i.test(name);
}

function checkName(name: string): void {
  if (/^[a-zA-Z0-9_\-.]{3,128}$/.test(name)) return;
  throw unfitName(name, 'is not 3 to 128 letters, digits, or any of _ - .');
}

function unfitName(name: string, why: string): HawserError {
  const shown = JSON.stringify(name.slice(0, 128));
  return new HawserError('ERR_DOCUMENT_NAME', `A session document cannot be called ${shown}: that ${why}.`);
}
