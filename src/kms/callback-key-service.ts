import { orAborted } from '../core/deadline.ts';
import { type DataKey, type KeyService, KeyServiceError } from '../crypto/index.ts';
import { DATA_KEY_LENGTH, MAX_CIPHERTEXT_LENGTH } from '../crypto/kms/key-service.ts';
import { assertDataKey } from './data-key.ts';

/** The calls of a {@link KeyService}, as functions of your own. Each is given `signal`, and need not look at it. */
export interface KeyServiceCallbacks {
  /** Default: the call fails, for ends that only decrypt. */
  readonly generateDataKey?: KeyService['generateDataKey'];
  /** Default: the call fails, for ends that only ask for data keys. */
  readonly decrypt?: KeyService['decrypt'];
}

/**
 * A key service that asks elsewhere: a browser its own server, a broker whatever it has.
 *
 *     const keyService = callbackKeyService({ generateDataKey: (keyId, context) => askMyServer(keyId, context) });
 *
 * What the callbacks answer is checked. What they throw becomes the cause of a {@link KeyServiceError}
 * `ERR_KEY_SERVICE`, unless it is one already. A call whose `signal` fires throws its reason.
 */
export function callbackKeyService({ generateDataKey, decrypt }: KeyServiceCallbacks): KeyService {
  return {
    async generateDataKey(keyId, context, call = {}) {
      if (!generateDataKey) throw leftOut('generateDataKey');
      const answer = await settled(
        () => generateDataKey(keyId, context, call),
        call.signal,
        'generate a data key',
        forget,
      );
      if (isDataKey(answer)) return answer;
      forget(answer);
      throw new KeyServiceError(
        'ERR_KEY_SERVICE',
        `The key service gave no data key: a plaintext of ${DATA_KEY_LENGTH} bytes is due, and a ciphertext of 1 to ${MAX_CIPHERTEXT_LENGTH}, as Uint8Array.`,
      );
    },
    async decrypt(ciphertext, context, call = {}) {
      if (!decrypt) throw leftOut('decrypt');
      const plaintext = await settled(
        () => decrypt(ciphertext, context, call),
        call.signal,
        'decrypt a data key',
        (plaintext) => forget({ plaintext }),
      );
      if (plaintext instanceof Uint8Array) return assertDataKey(plaintext);
      throw new KeyServiceError(
        'ERR_KEY_SERVICE',
        'The key service decrypted to something that is no Uint8Array.',
      );
    },
  };
}

/** @param late is given an answer that came when nobody waited for it any more */
async function settled<T>(
  call: () => Promise<T>,
  signal: AbortSignal | undefined,
  what: string,
  late: (answer: T) => void,
): Promise<T> {
  signal?.throwIfAborted();
  // Also when the callback throws at once.
  const answer = Promise.resolve().then(call);
  try {
    return await orAborted(answer, signal);
  } catch (cause) {
    if (signal?.aborted) answer.then(late, () => {});
    signal?.throwIfAborted();
    if (cause instanceof KeyServiceError) throw cause;
    throw new KeyServiceError('ERR_KEY_SERVICE', `The key service could not ${what}; the cause says why.`, {
      cause,
    });
  }
}

/** Nobody is to have it. */
function forget({ plaintext }: Partial<DataKey> = {}): void {
  if (plaintext instanceof Uint8Array) plaintext.fill(0);
}

function isDataKey(answer: Partial<DataKey> | undefined): answer is DataKey {
  const { plaintext, ciphertext } = answer ?? {};
  return (
    plaintext instanceof Uint8Array &&
    plaintext.length === DATA_KEY_LENGTH &&
    ciphertext instanceof Uint8Array &&
    ciphertext.length > 0 &&
    ciphertext.length <= MAX_CIPHERTEXT_LENGTH
  );
}

function leftOut(name: keyof KeyServiceCallbacks): KeyServiceError {
  return new KeyServiceError(
    'ERR_KEY_SERVICE',
    `This key service was made without the callback ${name}. Give one to callbackKeyService where it is needed.`,
  );
}
