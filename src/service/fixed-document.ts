import { AWS_DOCUMENTS, DEFAULT_DOCUMENT } from '../core/documents/aws-documents.ts';
import type { SessionDocument } from '../core/documents/session-document.ts';
import type { ServiceContext } from './context.ts';
import type { DocumentContentRecord, DocumentRecord } from './document-record.ts';
import { sha256Text } from './token.ts';

/** A document that is in no store: one of AWS's own, or of the options of the service. It has one version. */
export interface FixedDocument {
  readonly record: DocumentRecord;
  readonly content: DocumentContentRecord;
  /** It stands in for preferences until the account makes its own (CONTROL-PLANE.md section 2.1). */
  readonly isStandIn: boolean;
}

export function fixedDocument(
  name: string,
  document: SessionDocument,
  { wallClock, digest }: Pick<ServiceContext, 'wallClock' | 'digest'>,
): FixedDocument {
  const text = JSON.stringify(document, undefined, 2);
  const createdDate = wallClock.now();
  const version = {
    version: 1,
    contentId: '',
    format: 'JSON',
    hash: sha256Text(text, digest),
    createdDate,
  } as const;
  return {
    record: {
      name,
      createdDate,
      versions: [version],
      defaultVersion: 1,
      lastVersion: 1,
      tags: {},
      sharedWith: {},
    },
    content: { text, document },
    isStandIn: name === DEFAULT_DOCUMENT && document === AWS_DOCUMENTS[DEFAULT_DOCUMENT],
  };
}
