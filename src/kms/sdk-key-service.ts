import { type KeyService, KeyServiceError } from '../crypto/index.ts';
import { DATA_KEY_LENGTH } from '../crypto/kms/key-service.ts';
import { callbackKeyService } from './callback-key-service.ts';
import { kmsError } from './kms-error.ts';

/** The calls of `KMS`, the class of `@aws-sdk/client-kms` that has all of them. */
export interface KmsSdk {
  generateDataKey(input: GenerateDataKeyInput, options?: SdkCallOptions): Promise<SdkOutput>;
  decrypt(input: DecryptInput, options?: SdkCallOptions): Promise<SdkOutput>;
}

/** `KMSClient` of `@aws-sdk/client-kms`, which takes commands. */
export interface KmsSdkClient {
  // biome-ignore lint/suspicious/noExplicitAny: the client takes many kinds of commands, and knows them by classes of its own
  send(command: any, options?: SdkCallOptions): Promise<any>;
}

/** The classes of the commands, for a bundle that has these two alone. */
export interface KmsSdkCommands {
  readonly GenerateDataKeyCommand: new (input: GenerateDataKeyInput) => object;
  readonly DecryptCommand: new (input: DecryptInput) => object;
}

interface GenerateDataKeyInput {
  KeyId: string;
  NumberOfBytes: number;
  EncryptionContext: Record<string, string>;
}

interface DecryptInput {
  CiphertextBlob: Uint8Array;
  EncryptionContext: Record<string, string>;
  KeyId: string | undefined;
}

interface SdkCallOptions {
  abortSignal?: AbortSignal;
}

interface SdkOutput {
  readonly Plaintext?: Uint8Array | undefined;
  readonly CiphertextBlob?: Uint8Array | undefined;
}

/**
 * AWS KMS by a client of `@aws-sdk/client-kms` that you have: its credentials, endpoint and retries.
 *
 *     sdkKeyService(new KMS({ region }));
 *     sdkKeyService(new KMSClient({ region }), { GenerateDataKeyCommand, DecryptCommand });
 */
export function sdkKeyService(client: KmsSdk): KeyService;
export function sdkKeyService(client: KmsSdkClient, commands: KmsSdkCommands): KeyService;
export function sdkKeyService(client: KmsSdk | KmsSdkClient, commands?: KmsSdkCommands): KeyService {
  const sdk = commands ? ofCommands(client as KmsSdkClient, commands) : (client as KmsSdk);
  return callbackKeyService({
    async generateDataKey(keyId, context, { signal } = {}) {
      const input = { KeyId: keyId, NumberOfBytes: DATA_KEY_LENGTH, EncryptionContext: { ...context } };
      const { Plaintext, CiphertextBlob } = await asked('GenerateDataKey', () =>
        sdk.generateDataKey(input, optionsOf(signal)),
      );
      return { plaintext: bytes(Plaintext), ciphertext: bytes(CiphertextBlob) };
    },
    async decrypt(ciphertext, context, { keyId, signal } = {}) {
      const input = { CiphertextBlob: ciphertext, EncryptionContext: { ...context }, KeyId: keyId };
      const { Plaintext } = await asked('Decrypt', () => sdk.decrypt(input, optionsOf(signal)));
      return bytes(Plaintext);
    },
  });
}

function ofCommands(
  client: KmsSdkClient,
  { GenerateDataKeyCommand, DecryptCommand }: KmsSdkCommands,
): KmsSdk {
  return {
    generateDataKey: (input, options) => client.send(new GenerateDataKeyCommand(input), options),
    decrypt: (input, options) => client.send(new DecryptCommand(input), options),
  };
}

async function asked(
  operation: 'GenerateDataKey' | 'Decrypt',
  call: () => Promise<SdkOutput>,
): Promise<SdkOutput> {
  try {
    return await call();
  } catch (error) {
    if (!isException(error)) {
      const message = `The client of KMS failed in ${operation}; its error is the cause.`;
      throw kmsError(undefined, message, error);
    }
    const cause = unquoted(error);
    const { name, message } = cause;
    const text = message && message !== name ? `: ${message}` : '';
    throw kmsError(name, `${operation} was refused with ${name}${text}.`, cause);
  }
}

interface Exception extends Error {
  readonly $fault: unknown;
  readonly $metadata?: unknown;
}

/** Exceptions of the service have a `$fault`; what else is thrown is the client's own, or the network's. */
function isException(error: unknown): error is Exception {
  return error instanceof Error && '$fault' in error;
}

/** Its lines after the first can quote the signed request, and with it the session token; so can its `$response`. */
function unquoted({ name, message, $fault, $metadata }: Exception): Exception {
  const text = message
    .trim()
    .split(/[\r\n]/, 1)[0]!
    .slice(0, 1000);
  return Object.assign(new Error(text), { name, $fault, $metadata });
}

function optionsOf(signal: AbortSignal | undefined): SdkCallOptions {
  return signal ? { abortSignal: signal } : {};
}

function bytes(member: Uint8Array | undefined): Uint8Array {
  if (member) return member;
  throw new KeyServiceError('ERR_KEY_SERVICE', 'The client of KMS answered without a data key.');
}
