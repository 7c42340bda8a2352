/** What one application wrote, against which every byte is checked that reaches the other: the same, in order, once. */
export class Tape {
  #bytes = new Uint8Array(1024);
  #written = 0;
  #read = 0;

  get written(): number {
    return this.#written;
  }

  /** Bytes that have arrived. */
  get read(): number {
    return this.#read;
  }

  get whole(): boolean {
    return this.#read === this.#written;
  }

  write(bytes: Uint8Array): void {
    const end = this.#written + bytes.length;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(2 * end);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#written);
    this.#written = end;
  }

  /** @throws when these are not the next bytes that were written */
  arrive(bytes: Uint8Array): void {
    for (const [i, byte] of bytes.entries()) {
      const at = this.#read + i;
      if (at < this.#written && byte === this.#bytes[at]) continue;
      throw new Error(`the byte at ${at} of ${this.#written} arrived as ${byte}, not as ${this.#bytes[at]}`);
    }
    this.#read += bytes.length;
  }
}
