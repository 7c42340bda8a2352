import type { SessionDocument } from '../core/documents/session-document.ts';

/** A session document that was registered with the service. */
export interface DocumentRecord {
  readonly name: string;
  readonly content: SessionDocument;
}
