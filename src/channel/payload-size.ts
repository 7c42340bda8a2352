import { DEFAULT_PAYLOAD_SIZE, LARGE_PAYLOAD_SIZE } from './limits.ts';

export interface PayloadSizeOptions {
  /** What the application asked for; undefined leaves it to what the service says. */
  readonly asked: number | undefined;
  /** Whether sizes above the default are tried before they are used. Clients do; see {@link PayloadSize}. */
  readonly tries: boolean;
}

/**
 * How large the payloads of one direction may be.
 *
 * Both real programs send 1,024 bytes and take far more (PROTOCOL.md section 13); what the service between takes is
 * its own affair. hawser's says so in `start_publication`. A client finds out: it sends one large message that
 * carries nothing, a terminal size padded with spaces, and goes on with small ones until that is acknowledged. When
 * the connection closes on it, the message shrinks to the size alone and large ones are out of the question for good.
 * Nothing else would do: a message with data in it may have arrived, so it could never be cut anew.
 *
 * An agent has no message that every client ignores, so it goes by what it is told.
 */
export class PayloadSize {
  readonly #tries: boolean;
  #wanted: number;
  #usable: boolean;
  readonly #fixed: boolean;
  #refused = false;

  constructor({ asked, tries }: PayloadSizeOptions) {
    this.#tries = tries;
    this.#fixed = asked !== undefined;
    this.#wanted = asked ?? DEFAULT_PAYLOAD_SIZE;
    this.#usable = !tries;
  }

  /** Bytes per message, as of now. */
  get current(): number {
    return this.#usable ? this.#wanted : Math.min(this.#wanted, DEFAULT_PAYLOAD_SIZE);
  }

  /** The size to try before it can be used; undefined when there is none. */
  get untried(): number | undefined {
    if (this.#usable || this.#refused || this.#wanted <= DEFAULT_PAYLOAD_SIZE) return undefined;
    return this.#wanted;
  }

  /** The service takes payloads of so many bytes. */
  offered(limit: number): void {
    if (this.#fixed || this.#refused) return;
    this.#wanted = Math.max(DEFAULT_PAYLOAD_SIZE, Math.min(limit, LARGE_PAYLOAD_SIZE));
    if (this.#tries) this.#usable = false;
  }

  /** A message of the untried size has arrived. */
  arrived(): void {
    this.#usable = !this.#refused;
  }

  /** The connection closed on a message of the untried size. */
  refused(): void {
    this.#refused = true;
    this.#usable = false;
  }
}
