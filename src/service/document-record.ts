import type { SessionDocument } from '../core/documents/session-document.ts';

/** A session document of the account (CONTROL-PLANE.md section 2.6), without what its versions say. */
export interface DocumentRecord {
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly createdDate: number;
  /** Oldest first; never empty. */
  readonly versions: readonly DocumentVersionRecord[];
  /** Number of the version that sessions are started with. */
  readonly defaultVersion: number;
  /** The highest number that a version ever had: none is used twice. */
  readonly lastVersion: number;
  readonly tags: Readonly<Record<string, string>>;
  /** Other accounts that may use it, or `all`, and the versions that they may. */
  readonly sharedWith: Readonly<Record<string, SharedVersion>>;
  readonly targetType?: string;
}

export type SharedVersion = '$DEFAULT' | '$LATEST' | '$ALL';

export interface DocumentVersionRecord {
  readonly version: number;
  /** Of its {@link DocumentContentRecord}. */
  readonly contentId: string;
  readonly format: DocumentFormat;
  /** SHA-256 of the UTF-8 of the text, in hex. */
  readonly hash: string;
  /** Milliseconds since the epoch. */
  readonly createdDate: number;
  /** Unique in the document. */
  readonly versionName?: string;
  readonly displayName?: string;
}

export type DocumentFormat = 'JSON' | 'YAML';

/**
 * What a version of a document says. Apart from the {@link DocumentRecord}, which stays small; never changed. Made
 * before the version that names it, and removed after it.
 */
export interface DocumentContentRecord {
  /** As it was given, at most 64 KB. */
  readonly text: string;
  /** What the text means. */
  readonly document: SessionDocument;
}
