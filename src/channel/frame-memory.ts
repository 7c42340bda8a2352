/**
 * Memory for outgoing frames.
 *
 * An allocation costs as much as the SHA-256 of a 1 KB payload, since a typed array over 64 bytes lives outside
 * the JavaScript heap. Small frames are therefore cut from shared slabs; a slab is free once its frames are.
 */
export class FrameMemory {
  #slab = new ArrayBuffer(0);
  #used = 0;

  allocate(length: number): Uint8Array {
    if (length > SLAB_LENGTH / 8) return new Uint8Array(length);
    if (this.#used + length > this.#slab.byteLength) {
      this.#slab = new ArrayBuffer(SLAB_LENGTH);
      this.#used = 0;
    }
    const memory = new Uint8Array(this.#slab, this.#used, length);
    this.#used += length;
    return memory;
  }
}

const SLAB_LENGTH = 65_536;
