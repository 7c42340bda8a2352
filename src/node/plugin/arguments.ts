import type { SessionAccess } from '../../core/session-api.ts';
import { PluginError } from './error.ts';

/** What the AWS CLI asks of a session-manager-plugin (PROTOCOL.md section 3). */
export type PluginArguments =
  /** None: whether there is a plugin. `aws ecs execute-command` asks that. */
  | { readonly type: 'installed' }
  | { readonly type: 'version' }
  | { readonly type: 'start'; readonly request: PluginRequest };

export interface PluginRequest {
  readonly access: SessionAccess;
  readonly region: string;
  /** Of the shared configuration files, as given or taken from `AWS_PROFILE` by the CLI. */
  readonly profile: string | undefined;
  /** The node, or `ecs:…`. */
  readonly target: string | undefined;
  readonly documentName: string | undefined;
  /** Of the service that was asked for the session. */
  readonly endpoint: string | undefined;
}

/**
 * Reads the arguments behind the program's name, in any of their forms: 3 of old CLIs or 6, the answer of StartSession
 * in the first or, from newer CLIs, in the environment variable that the first names. The variable is deleted.
 *
 * @throws {PluginError} whose message quotes nothing that may be secret
 */
export function readArguments(args: readonly string[], environment: NodeJS.ProcessEnv): PluginArguments {
  const [first = '', region = '', operation = '', profile = '', parameters = '', endpoint = ''] = args;
  if (args.length === 0) return { type: 'installed' };
  if (args.length === 1 && first === '--version') return { type: 'version' };
  if (args.length < FEWEST) throw unknownOperation(first);
  const response = first.startsWith(VARIABLE) ? takeVariable(first, environment) : first;
  if (operation !== 'StartSession') throw new PluginError('usage', 'Invalid Operation');
  const request = parse(parameters) ?? {};
  return {
    type: 'start',
    request: {
      access: readAccess(response),
      region,
      profile: profile || undefined,
      target: text(request, 'Target'),
      documentName: text(request, 'DocumentName'),
      endpoint: endpoint || undefined,
    },
  };
}

/** The answer of StartSession, the region, and the name of the operation. */
const FEWEST = 3;
/** How the names of variables begin that hold the answer of StartSession. */
const VARIABLE = 'AWS_SSM_START_SESSION_RESPONSE';

function takeVariable(name: string, environment: NodeJS.ProcessEnv): string {
  const value = environment[name];
  delete environment[name];
  if (value) return value;
  throw new PluginError('start', `the environment variable ${shown(name)} is not set.`);
}

/** Members in any letter case: ECS writes them otherwise than Systems Manager. */
function readAccess(response: string): SessionAccess {
  const json = parse(response);
  // The parser's own message would quote the text, and with it the token.
  if (!json) throw new PluginError('start', 'the answer of StartSession is not a JSON object.');
  const required = (name: string) => {
    const value = text(json, name);
    if (value) return value;
    throw new PluginError('start', `the answer of StartSession has no ${name}.`);
  };
  return {
    sessionId: required('SessionId'),
    streamUrl: required('StreamUrl'),
    tokenValue: required('TokenValue'),
  };
}

function parse(json: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function text(json: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const key = Object.hasOwn(json, name)
    ? name
    : Object.keys(json).find((other) => other.toLowerCase() === name.toLowerCase());
  const value = key === undefined ? undefined : json[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function unknownOperation(operation: string): PluginError {
  return new PluginError(
    'usage',
    `\nUnknown operation ${shown(operation)}. \nUse session-manager-plugin --version to check the version.\n`,
  );
}

/** A word that cannot be an answer of StartSession. */
function shown(word: string): string {
  return /^[\w-]{1,64}$/.test(word) ? word : '(not shown)';
}
