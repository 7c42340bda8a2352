import type { QueuedPayload, SendQueue } from '../send-queue.ts';
import { EncryptionError } from './error.ts';
import type { PayloadEncryption } from './payload-encryption.ts';

/** Something received that waits for its turn. */
interface Arrival {
  ready: boolean;
  run: () => void;
}

/** Something to send that waits for its turn. */
interface Departure {
  payload: QueuedPayload | undefined;
}

/**
 * Between the application and the stream, for both directions: encrypts what goes out before it gets its sequence
 * number, decrypts what has arrived before it is delivered, and lets nothing overtake. Until {@link start}, and in
 * sessions in the clear for ever, everything passes as it is.
 *
 * Where the platform's AES-GCM is synchronous nothing ever waits here. Elsewhere a few payloads at a time are under
 * way, and `wake` tells when one is done.
 */
export class EncryptionStage {
  readonly #queue: SendQueue;
  readonly #wake: () => void;
  readonly #fail: (error: EncryptionError) => void;
  #encryption: PayloadEncryption | undefined;
  #departures: Departure[] = [];
  #arrivals: Arrival[] = [];
  #closed = false;
  /** Whether a call of ours is on the stack: its caller looks at what it led to by itself. */
  #inCall = false;

  /**
   * @param wake called when something can be sent or has arrived, unless the stage was just called
   * @param fail called when something cannot be encrypted: only a platform that is broken comes to that
   */
  constructor(queue: SendQueue, wake: () => void, fail: (error: EncryptionError) => void) {
    this.#queue = queue;
    this.#wake = wake;
    this.#fail = fail;
  }

  /** Whether nothing has left the queue without having become a message. */
  get idle(): boolean {
    return this.#departures.length === 0;
  }

  /** Whether everything received has been delivered. */
  get delivered(): boolean {
    return this.#arrivals.length === 0;
  }

  /** Encrypts from now on. */
  start(encryption: PayloadEncryption): void {
    this.#encryption = encryption;
  }

  /** Encrypts something that is no payload of its own. Nothing is called once the stage is closed. */
  seal(plaintext: Uint8Array, done: (sealed: Uint8Array) => void): void {
    this.#call(() =>
      this.#encryption?.seal(plaintext, (sealed) => {
        if (this.#closed) return;
        if (sealed) done(sealed);
        else this.#fail(unencryptable());
        this.#awaken();
      }),
    );
  }

  /** Decrypts the like. */
  open(sealed: Uint8Array, done: (result: Uint8Array | EncryptionError) => void): void {
    this.#call(() =>
      this.#encryption?.open(sealed, (result) => {
        if (this.#closed) return;
        done(result);
        this.#awaken();
      }),
    );
  }

  /** The next payload to send. @param ready whether application data may go, or only the handshake */
  shift(ready: boolean): QueuedPayload | undefined {
    const encryption = this.#encryption;
    if (!encryption) return this.#queue.shift(ready);
    const departures = this.#departures;
    while (!departures[0]?.payload && departures.length < MAX_UNDER_WAY) {
      const next = this.#queue.shift(ready);
      if (!next) break;
      if (!encryption.seals(next.payloadType)) {
        if (departures.length === 0) return next;
        departures.push({ payload: next });
        continue;
      }
      const { payloadType } = next;
      const departure: Departure = { payload: undefined };
      departures.push(departure);
      this.#call(() =>
        encryption.seal(next.payload, (sealed) =>
          this.#sealed(departure, sealed && { payloadType, payload: sealed }),
        ),
      );
    }
    return departures[0]?.payload && departures.shift()!.payload;
  }

  /** Hands a payload to `deliver`, decrypted if it is of a type that the other end encrypts, or to `fail` what is wrong. */
  receive(
    payloadType: number,
    payload: Uint8Array,
    deliver: (payload: Uint8Array) => void,
    fail: (error: EncryptionError) => void,
  ): void {
    const encryption = this.#encryption;
    if (!encryption?.opens(payloadType)) {
      this.inOrder(() => deliver(payload));
      return;
    }
    const arrival: Arrival = { ready: false, run: () => {} };
    this.#arrivals.push(arrival);
    this.#call(() =>
      encryption.open(payload, (result) => {
        arrival.run = result instanceof Uint8Array ? () => deliver(result) : () => fail(result);
        arrival.ready = true;
        this.#arrived();
      }),
    );
  }

  /** Runs `work` when everything received before has been delivered. */
  inOrder(work: () => void): void {
    if (this.#arrivals.length === 0) work();
    else this.#arrivals.push({ ready: true, run: work });
  }

  /** What is under way is forgotten, and the keys are. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#encryption?.destroy();
    this.#departures = [];
    this.#arrivals = [];
  }

  #sealed(departure: Departure, sealed: QueuedPayload | undefined): void {
    if (this.#closed) return;
    departure.payload = sealed;
    if (!sealed) this.#fail(unencryptable());
    this.#awaken();
  }

  #arrived(): void {
    if (this.#closed) return;
    while (this.#arrivals[0]?.ready) this.#arrivals.shift()!.run();
    this.#awaken();
  }

  #awaken(): void {
    if (!this.#inCall) this.#wake();
  }

  #call(work: () => void): void {
    const outer = this.#inCall;
    this.#inCall = true;
    try {
      work();
    } finally {
      this.#inCall = outer;
    }
  }
}

function unencryptable(): EncryptionError {
  return new EncryptionError(
    'ERR_ENCRYPTION_CIPHER',
    'A payload could not be encrypted: the AES-GCM of this runtime does not take the key.',
  );
}

/** Payloads that are encrypted at once, and that an interrupt can no longer overtake. */
const MAX_UNDER_WAY = 8;
