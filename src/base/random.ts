/** Where random numbers come from. Injected, so that a seed can reproduce a run. */
export interface RandomSource {
  /** A number in [0, 1), for jitter. Need not be cryptographic. */
  random(): number;
  /** `length` bytes fit for secrets. */
  bytes(length: number): Uint8Array;
  /** A fresh lower-case UUID. */
  uuid(): string;
}
