import { asObject, type JsonObject } from '../channel/payload/json.ts';
import { toBoolean } from './boolean.ts';
import { AgentError } from './error.ts';

/** What a document of a command session says for one platform (CONTROL-PLANE.md section 3.1). */
export interface ShellProperties {
  readonly commands: string;
  /** Run as the agent's own user, whatever the preferences say. */
  readonly runAsElevated: boolean;
  /** Whether stderr and the exit status are sent apart. NonInteractiveCommands only, like the two below. */
  readonly separateOutputStream: boolean;
  readonly stdOutSeparatorPrefix: string;
  readonly stdErrSeparatorPrefix: string;
}

export type ShellPlatform = 'linux' | 'macos' | 'windows';

/**
 * Reads the properties of a command session, with the checks of AWS's agent and its words for blank commands.
 *
 * @throws {AgentError} `ERR_AGENT_START` for properties of the wrong shape, blank commands, an invalid prefix
 */
export function shellProperties(
  { sessionType, properties }: { readonly sessionType: string; readonly properties: unknown },
  platform: ShellPlatform,
): ShellProperties {
  const part = member(member(properties, 'properties')[platform] ?? {}, `properties.${platform}`);
  const { commands = '', runAsElevated = false } = part;
  if (typeof commands !== 'string' || commands.trim() === '') {
    throw unusable(`Commands cannot be empty for session type ${sessionType}`);
  }
  if (typeof runAsElevated !== 'boolean') {
    throw unusable('runAsElevated of the session document must be true or false, not text.');
  }
  return {
    commands,
    runAsElevated,
    separateOutputStream: toBoolean('separateOutputStream', part.separateOutputStream),
    stdOutSeparatorPrefix: prefix('stdOutSeparatorPrefix', part.stdOutSeparatorPrefix),
    stdErrSeparatorPrefix: prefix('stdErrSeparatorPrefix', part.stdErrSeparatorPrefix),
  };
}

const PREFIX = /^[0-9a-zA-Z\r\n_:-]{0,30}$/;

function prefix(name: string, value: unknown = ''): string {
  if (typeof value === 'string' && PREFIX.test(value)) return value;
  throw unusable(
    `${name} of the session document must be at most 30 letters, digits, line ends, or characters of "_:-".`,
  );
}

function member(value: unknown, name: string): JsonObject {
  try {
    return asObject(value, name);
  } catch (cause) {
    throw unusable(`The session document has no object ${name}.`, { cause });
  }
}

function unusable(message: string, options?: ErrorOptions): AgentError {
  return new AgentError('ERR_AGENT_START', message, options);
}
