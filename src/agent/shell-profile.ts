import { asObject, type JsonObject } from '../channel/payload/json.ts';
import { AgentError } from './error.ts';
import type { ShellPlatform } from './shell-properties.ts';

/**
 * What the preferences want typed into a shell before the user's own keys (CONTROL-PLANE.md section 3.5):
 * `shellProfile.linux` and a line end, also on macOS; on Windows each line of `shellProfile.windows`.
 *
 * @returns empty when there is nothing to type
 * @throws {AgentError} `ERR_AGENT_START` for preferences of the wrong shape
 */
export function shellProfile(inputs: JsonObject, platform: ShellPlatform): string {
  const name = platform === 'windows' ? 'windows' : 'linux';
  const text = part(inputs.shellProfile ?? {}, name) ?? '';
  if (typeof text !== 'string') {
    throw new AgentError('ERR_AGENT_START', `shellProfile.${name} of the session document must be text.`);
  }
  if (text.trim() === '') return '';
  return platform === 'windows' ? text.replaceAll(/\r?\n|$/g, '\r\n') : `${text}\n`;
}

function part(profile: unknown, name: string): unknown {
  try {
    return asObject(profile, 'shellProfile')[name];
  } catch (cause) {
    throw new AgentError('ERR_AGENT_START', 'shellProfile of the session document must be an object.', {
      cause,
    });
  }
}
