import type { SessionDocument } from '../core/documents/session-document.ts';
import { compareVersions } from '../core/version.ts';
import { ApiError } from './api-error.ts';

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
