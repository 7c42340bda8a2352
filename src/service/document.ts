import { HawserError } from '../base/error.ts';
import { AWS_DOCUMENTS } from '../core/documents/aws-documents.ts';
import { parseSessionDocument } from '../core/documents/parse.ts';
import type { SessionDocument } from '../core/documents/session-document.ts';
import { compareVersions } from '../core/version.ts';
import { ApiError } from './api-error.ts';

/**
 * The session documents of a service: AWS's own and the host's.
 *
 * @throws {DocumentError} for a document that no session could be started from
 * @throws {HawserError} `ERR_DOCUMENT_NAME`
 */
export function sessionDocuments(
  documents: Readonly<Record<string, SessionDocument>>,
): ReadonlyMap<string, SessionDocument> {
  const given = Object.entries(documents).map(([name, document]): [string, SessionDocument] => {
    if (/^[a-zA-Z0-9_\-.]{3,128}$/.test(name)) return [name, parseSessionDocument(document, name)];
    throw new HawserError(
      'ERR_DOCUMENT_NAME',
      `A session document cannot be called ${JSON.stringify(name)}: a name has 3 to 128 letters, digits, or any of _ - .`,
    );
  });
  return new Map([...Object.entries(AWS_DOCUMENTS), ...given]);
}

/**
 * CONTROL-PLANE.md section 2.1, check 6. Nothing is known of an agent that told no version.
 *
 * @throws {ApiError} `BadRequest` for an agent that is too old for the document
 */
export function checkAgentVersion(
  { sessionType, properties }: SessionDocument,
  agentVersion: string | undefined,
): void {
  if (sessionType !== 'Port' || !agentVersion) return;
  const { host } = properties as { readonly host?: string };
  const [minimum, what] = host ? REMOTE_HOST : PORT;
  if (compareVersions(agentVersion, minimum) >= 0) return;
  throw new ApiError(
    'BadRequest',
    `The version of the SSM agent installed on this instance doesn't support ${what}. Update the agent to version ${minimum} or later.`,
  );
}

const PORT = ['2.3.672.0', 'port forwarding'] as const;
const REMOTE_HOST = ['3.1.1374.0', 'port forwarding to remote hosts'] as const;
