import type { Refuse } from './error.ts';
import { isRecord, type JsonRecord, join, own } from './json-value.ts';
import { isFlagText } from './parse-inputs.ts';
import { tokensIn } from './substitute.ts';

/**
 * Checks the properties of AWS's session types (CONTROL-PLANE.md section 3.1), and returns them as the agent takes
 * them. Those of other types may be anything.
 */
export function readProperties(sessionType: string, properties: unknown, refuse: Refuse): unknown {
  return (READERS.get(sessionType) ?? ((value: unknown) => value))(properties, refuse);
}

/** Where the platforms of nodes have their parts. */
export const PLATFORMS = ['windows', 'linux', 'macos'] as const;

const READERS: ReadonlyMap<string, (properties: unknown, refuse: Refuse) => unknown> = new Map([
  ['Port', readPort],
  ['InteractiveCommands', readCommands],
  ['NonInteractiveCommands', readCommands],
]);

function readPort(properties: unknown, refuse: Refuse): unknown {
  if (!isRecord(properties)) throw refuse('properties', 'must be an object');
  const port = own(properties, 'portNumber');
  if (!isPort(port)) throw refuse('properties.portNumber', 'must be 1 to 65535');
  for (const key of ['type', 'host', 'localUnixSocket', 'localConnectionType']) {
    if (typeof (own(properties, key) ?? '') !== 'string') {
      throw refuse(join('properties', key), 'must be a string');
    }
  }
  return properties;
}

function isPort(value: unknown): boolean {
  if (typeof value === 'string' && tokensIn(value).length > 0) return true;
  const port = typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : value;
  return typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535;
}

function readCommands(properties: unknown, refuse: Refuse): unknown {
  if (!isRecord(properties)) throw refuse('properties', 'must be an object');
  const platforms = PLATFORMS.filter((platform) => own(properties, platform) !== undefined);
  if (platforms.length === 0) throw refuse('properties', `must have one of ${PLATFORMS.join(', ')}`);
  const parts = platforms.map((platform) => [
    platform,
    readShell(own(properties, platform), join('properties', platform), refuse),
  ]);
  return { ...properties, ...Object.fromEntries(parts) };
}

function readShell(shell: unknown, path: string, refuse: Refuse): JsonRecord {
  if (!isRecord(shell)) throw refuse(path, 'must be an object');
  const commands = commandsOf(own(shell, 'commands'));
  if (commands === undefined) throw refuse(join(path, 'commands'), 'must be a string with a command');
  if (typeof (own(shell, 'runAsElevated') ?? false) !== 'boolean') {
    throw refuse(join(path, 'runAsElevated'), 'must be a boolean, not in a string');
  }
  const separate = own(shell, 'separateOutputStream') ?? false;
  if (typeof separate !== 'boolean' && !isFlagText(separate)) {
    throw refuse(join(path, 'separateOutputStream'), 'must be a boolean');
  }
  for (const key of ['stdOutSeparatorPrefix', 'stdErrSeparatorPrefix']) {
    const prefix = own(shell, key) ?? '';
    if (typeof prefix !== 'string' || !(PREFIX.test(prefix) || tokensIn(prefix).length > 0)) {
      throw refuse(join(path, key), 'must be at most 30 letters, digits, line ends, or any of _ - :');
    }
  }
  return { ...shell, commands };
}

/** The guide has a list in one place; the agent takes a string only. */
function commandsOf(value: unknown): string | undefined {
  const isList = Array.isArray(value) && value.every((line) => typeof line === 'string');
  const commands = isList ? value.join('\n') : value;
  return typeof commands === 'string' && commands.trim() !== '' ? commands : undefined;
}

const PREFIX = /^[0-9a-zA-Z\r\n_:-]{0,30}$/;
