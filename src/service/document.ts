import { HawserError } from '../base/error.ts';

/**
 * A session document (CONTROL-PLANE.md section 3.1). Keys that are not named here are kept and sent to the agent.
 * Documents with parameters are not supported yet.
 */
export interface SessionDocument {
  readonly schemaVersion: '1.0';
  readonly description?: string;
  /** `Standard_Stream`, `InteractiveCommands`, `NonInteractiveCommands`, `Port`, or whatever the agent has a handler for. */
  readonly sessionType: string;
  /**
   * The preferences of the session. The service itself reads `idleSessionTimeout` (1 to 60 minutes) and
   * `maxSessionDuration` (1 to 1440 minutes), as strings or numbers, empty for the default; the rest is the agent's.
   */
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly properties?: unknown;
}

/** The document of a StartSession that names none. Stands in until the account has its own (section 3.6). */
export const DEFAULT_DOCUMENT = 'SSM-SessionManagerRunShell';

export const DEFAULT_DOCUMENT_CONTENT: SessionDocument = {
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
};

/** A session's own timers, in milliseconds; what the document leaves open is absent. */
export interface DocumentTimers {
  readonly idleTimeout?: number;
  readonly maxDuration?: number;
}

/** @throws {HawserError} `ERR_DOCUMENT` for a document that no session could be started from */
export function checkDocument(name: string, document: SessionDocument): void {
  if (!/^[a-zA-Z0-9_\-.]{3,128}$/.test(name)) {
    throw unfit(name, 'its name must have 3 to 128 letters, digits, or any of _ - .');
  }
  if (document.schemaVersion !== '1.0') throw unfit(name, 'its schemaVersion must be "1.0"');
  if (!document.sessionType) throw unfit(name, 'it has no sessionType');
  if (Object.hasOwn(document, 'parameters')) {
    throw unfit(name, 'it declares parameters, which this service does not support yet');
  }
  documentTimers(name, document);
}

/** @throws {HawserError} `ERR_DOCUMENT` for minutes out of range */
export function documentTimers(name: string, { inputs = {} }: SessionDocument): DocumentTimers {
  const idleTimeout = minutes(name, inputs, 'idleSessionTimeout', 60);
  const maxDuration = minutes(name, inputs, 'maxSessionDuration', 1440);
  return { ...(idleTimeout && { idleTimeout }), ...(maxDuration && { maxDuration }) };
}

const MINUTE = 60_000;

function minutes(
  name: string,
  inputs: Readonly<Record<string, unknown>>,
  input: string,
  maximum: number,
): number | undefined {
  const value = inputs[input] ?? '';
  if (value === '') return undefined;
  const count = typeof value === 'string' && /^\d{1,4}$/.test(value) ? Number(value) : value;
  if (typeof count !== 'number' || !Number.isInteger(count) || count < 1 || count > maximum) {
    throw unfit(name, `its input ${input} must be 1 to ${maximum} minutes`);
  }
  return count * MINUTE;
}

function unfit(name: string, why: string): HawserError {
  return new HawserError(
    'ERR_DOCUMENT',
    `The session document ${JSON.stringify(name)} cannot be used: ${why}.`,
  );
}
