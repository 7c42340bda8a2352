import { Sha256 as JsSha256 } from '@aws-crypto/sha256-js';
import { hex } from '../base/encoding.ts';

/** SHA-256 of what comes in pieces, in every runtime. */
export class Sha256 {
  readonly #hash = new JsSha256();

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  /** In lower-case hex. Nothing can be added afterwards. */
  digest(): string {
    return hex(this.#hash.digestSync());
  }
}
