import type { ParameterValues } from '../core/documents/parameters.ts';
import type { SessionDocument } from '../core/documents/session-document.ts';
import { substitute, valuesOf } from '../core/documents/substitute.ts';
import type { Principal } from '../policy/index.ts';
import { ApiError } from './api-error.ts';

/** The tag of a principal that names the user of the operating system for its sessions. */
const TAG = 'SSMSessionRunAs';

/** CONTROL-PLANE.md section 3.4, injection, (d). */
const USER_NAME = /^[a-zA-Z_][a-zA-Z0-9_.-]{0,31}\$?$/;

/** As an agent reads booleans (section 3.3, rule 5). */
const OFF = /^(?:|0|f|F|FALSE|false|False)$/;

/**
 * `RunAsUser` for the agent: the caller's tag, which wins over `runAsDefaultUser` (CONTROL-PLANE.md section 3.5). AWS's
 * agent puts either name into a shell command, so what is no name of a user does not leave the service.
 *
 * @param document with the preferences that hold
 * @returns empty without the tag
 * @throws {ApiError} `BadRequest` when run as is on, rather than start the session as somebody else
 */
export function runAsUser(document: SessionDocument, given: ParameterValues, { tags }: Principal): string {
  const { inputs = {}, parameters = {} } = document;
  const { runAsEnabled, runAsDefaultUser } = inputs;
  const preferences = substitute([runAsEnabled ?? '', runAsDefaultUser ?? ''], valuesOf(parameters, given));
  const [enabled, fallback] = (preferences as readonly unknown[]).map((value) => `${value}`.trim());
  const tagged = tags?.get(TAG)?.trim() ?? '';
  const isGood = tagged === '' || USER_NAME.test(tagged);
  if (OFF.test(enabled!)) return isGood ? tagged : '';
  if (!isGood) throw noUser(`the ${TAG} tag of the caller`);
  if (tagged === '' && fallback !== '' && !USER_NAME.test(fallback!)) throw noUser('runAsDefaultUser');
  return tagged;
}

function noUser(what: string): ApiError {
  return new ApiError('BadRequest', `The session cannot be started: ${what} is no name of a user.`);
}
