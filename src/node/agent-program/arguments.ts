import { parseArgs } from 'node:util';
import type { NodeLocation } from '../identity.ts';
import { ProgramError } from './program-error.ts';

export type AgentCommand =
  | { readonly name: 'help' | 'version' }
  | RegisterCommand
  | RunCommand
  | { readonly name: 'status'; readonly directory: string | undefined };

export interface RegisterCommand {
  readonly name: 'register';
  readonly directory: string | undefined;
  readonly activationId: string;
  /** Undefined when it is to be read from elsewhere. */
  readonly activationCode: string | undefined;
  readonly location: NodeLocation;
  readonly force: boolean;
}

export interface RunCommand {
  readonly name: 'run';
  readonly directory: string | undefined;
  /** Milliseconds. */
  readonly drain: number;
  /** Whether an agent of root gives its shells to ssm-user, as AWS's does. */
  readonly ssmUser: boolean;
  readonly kmsEndpoint: string | undefined;
  readonly requireEncryption: boolean;
  readonly requireKmsChallenge: boolean;
}

/**
 * @param args without the name of the program
 * @throws {ProgramError} for arguments that cannot be used
 */
export function readArguments(args: readonly string[], env: NodeJS.ProcessEnv): AgentCommand {
  const [name = '', ...rest] = args;
  if (name === '--help' || name === '-h' || name === 'help') return { name: 'help' };
  if (name === '--version') return { name: 'version' };
  if (!Object.hasOwn(COMMANDS, name)) {
    throw usage(name === '' ? 'What is to be done?' : `There is no command ${JSON.stringify(name)}.`);
  }
  return COMMANDS[name as keyof typeof COMMANDS](rest, env);
}

const DIRECTORY = { directory: { type: 'string' }, help: { type: 'boolean', short: 'h' } } as const;

const COMMANDS = {
  register(args: string[], env: NodeJS.ProcessEnv): AgentCommand {
    const values = parse(args, {
      ...DIRECTORY,
      'activation-id': { type: 'string' },
      'activation-code': { type: 'string' },
      region: { type: 'string', default: env.AWS_REGION ?? '' },
      endpoint: { type: 'string' },
      'ssm-endpoint': { type: 'string' },
      'ssmmessages-endpoint': { type: 'string' },
      fips: { type: 'boolean', default: false },
      'dual-stack': { type: 'boolean', default: false },
      'allow-insecure': { type: 'boolean', default: false },
      force: { type: 'boolean', default: false },
    });
    if (values.help) return { name: 'help' };
    const { region, directory, force, 'activation-id': activationId, 'activation-code': code } = values;
    if (!activationId) throw usage('register needs --activation-id.');
    if (!region) throw usage('register needs --region, or AWS_REGION.');
    const endpoint = endpointOf(values.endpoint, values['ssm-endpoint'], values['ssmmessages-endpoint']);
    const location: NodeLocation = {
      region,
      ...(endpoint !== undefined && { endpoint }),
      ...(values.fips && { useFipsEndpoint: true }),
      ...(values['dual-stack'] && { useDualstackEndpoint: true }),
      ...(values['allow-insecure'] && { allowInsecure: true }),
    };
    const activationCode = code || env.HAWSER_ACTIVATION_CODE || undefined;
    return { name: 'register', directory, activationId, activationCode, location, force };
  },
  run(args: string[]): AgentCommand {
    const values = parse(args, {
      ...DIRECTORY,
      drain: { type: 'string', default: '60' },
      'own-user': { type: 'boolean', default: false },
      'kms-endpoint': { type: 'string' },
      'require-encryption': { type: 'boolean', default: false },
      'require-kms-challenge': { type: 'boolean', default: false },
    });
    if (values.help) return { name: 'help' };
    if (!/^\d{1,6}$/.test(values.drain)) throw usage('--drain is a number of seconds.');
    return {
      name: 'run',
      directory: values.directory,
      drain: Number(values.drain) * 1000,
      ssmUser: !values['own-user'],
      kmsEndpoint: values['kms-endpoint'],
      requireEncryption: values['require-encryption'],
      requireKmsChallenge: values['require-kms-challenge'],
    };
  },
  status(args: string[]): AgentCommand {
    const values = parse(args, DIRECTORY);
    return values.help ? { name: 'help' } : { name: 'status', directory: values.directory };
  },
};

function parse<T extends NonNullable<Parameters<typeof parseArgs>[0]>['options']>(
  args: string[],
  options: T,
) {
  try {
    return parseArgs({ args, options, allowPositionals: false, strict: true }).values;
  } catch (error) {
    throw usage((error as Error).message);
  }
}

function endpointOf(both?: string, ssm?: string, ssmmessages?: string): NodeLocation['endpoint'] {
  if (ssm === undefined && ssmmessages === undefined) return both;
  const apart = { ssm: ssm ?? both, ssmmessages: ssmmessages ?? both };
  return {
    ...(apart.ssm !== undefined && { ssm: apart.ssm }),
    ...(apart.ssmmessages !== undefined && { ssmmessages: apart.ssmmessages }),
  };
}

function usage(message: string): ProgramError {
  return new ProgramError(2, `${message} See hawser-agent --help.`);
}
