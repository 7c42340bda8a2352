import type { DocumentParameter, SessionDocument } from './session-document.ts';

/** The document of a StartSession that names none: the preferences of the account. */
export const DEFAULT_DOCUMENT = 'SSM-SessionManagerRunShell';

const PORT_OF_MANY_DIGITS =
  '[1-9][0-9]{1,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]';

/**
 * The documents that are there in every account (CONTROL-PLANE.md section 3.6), by name: those whose names begin with
 * `AWS-` are Amazon's; `SSM-SessionManagerRunShell` stands in until the account has its own.
 */
export const AWS_DOCUMENTS: Readonly<Record<string, SessionDocument>> = {
  [DEFAULT_DOCUMENT]: {
    schemaVersion: '1.0',
    description: 'Document to hold regional settings for Session Manager',
    sessionType: 'Standard_Stream',
    inputs: {
      s3BucketName: '',
      s3KeyPrefix: '',
      s3EncryptionEnabled: false,
      cloudWatchLogGroupName: '',
      cloudWatchEncryptionEnabled: false,
      cloudWatchStreamingEnabled: false,
      kmsKeyId: '',
      runAsEnabled: false,
      runAsDefaultUser: '',
      idleSessionTimeout: '',
      maxSessionDuration: '',
      shellProfile: { windows: '', linux: '' },
    },
  },
  'AWS-StartPortForwardingSession': port(
    'Forwards connections to a port of the managed node.',
    { portNumber: portNumber('80'), localPortNumber: localPortNumber() },
    {
      portNumber: '{{ portNumber }}',
      type: 'LocalPortForwarding',
      localPortNumber: '{{ localPortNumber }}',
    },
  ),
  'AWS-StartPortForwardingSessionToRemoteHost': port(
    'Forwards connections to a port of a host that the managed node reaches.',
    { portNumber: portNumber('80'), localPortNumber: localPortNumber(), host: host() },
    {
      portNumber: '{{ portNumber }}',
      type: 'LocalPortForwarding',
      localPortNumber: '{{ localPortNumber }}',
      host: '{{ host }}',
    },
  ),
  'AWS-StartPortForwardingSessionToSocket': port(
    'Forwards connections from a Unix socket of the client to a port of the managed node.',
    {
      portNumber: portNumber('80'),
      localUnixSocket: { type: 'String', description: 'Path of the Unix socket on the client.' },
    },
    {
      portNumber: '{{ portNumber }}',
      type: 'LocalPortForwarding',
      localUnixSocket: '{{ localUnixSocket }}',
      localConnectionType: 'unix',
    },
  ),
  // No `type`: one raw stream for the whole session.
  'AWS-StartSSHSession': port(
    'Carries one SSH connection to the managed node.',
    { portNumber: portNumber('22') },
    { portNumber: '{{ portNumber }}' },
  ),
  'AWS-StartInteractiveCommand': command(
    'InteractiveCommands',
    'Runs one command in a terminal on the managed node.',
    {},
  ),
  // What AWS's own document says of separateOutputStream is not known. Without it no exit code ever comes, and
  // stderr cannot be told from stdout (PROTOCOL.md section 10).
  'AWS-StartNonInteractiveCommand': command(
    'NonInteractiveCommands',
    'Runs one command without a terminal on the managed node.',
    { separateOutputStream: true },
  ),
};

type Parameters = Readonly<Record<string, DocumentParameter>>;

function port(description: string, parameters: Parameters, properties: object): SessionDocument {
  return { schemaVersion: '1.0', description, sessionType: 'Port', parameters, properties };
}

function command(sessionType: string, description: string, members: object): SessionDocument {
  const shell = { commands: '{{ command }}', runAsElevated: false, ...members };
  return {
    schemaVersion: '1.0',
    description,
    sessionType,
    parameters: { command: { type: 'String', description: 'The command to run.' } },
    properties: { windows: shell, linux: shell, macos: shell },
  };
}

function portNumber(value: string): DocumentParameter {
  return {
    type: 'String',
    description: 'Port to connect to.',
    allowedPattern: `^([1-9]|${PORT_OF_MANY_DIGITS})$`,
    default: value,
  };
}

function localPortNumber(): DocumentParameter {
  return {
    type: 'String',
    description: 'Port on the client; 0 for any that is free.',
    allowedPattern: `^([0-9]|${PORT_OF_MANY_DIGITS})$`,
    default: '0',
  };
}

function host(): DocumentParameter {
  return {
    type: 'String',
    description: 'Name or address of the host, as the managed node knows it.',
    allowedPattern: '^[^,$^&\\(\\)!;\'"<>\\`{}\\[\\]\\|#=]{3,}$',
    default: 'localhost',
  };
}
