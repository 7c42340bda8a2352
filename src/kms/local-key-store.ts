import type { LocalKeyRecord } from './local-key.ts';

/** Where a {@link LocalKeyService} keeps its keys. */
export interface LocalKeyStore {
  /** All of them, in the order in which they were created. */
  list(): Promise<readonly LocalKeyRecord[]>;
  /**
   * Puts what `change` makes of the keys in their place. Nobody else changes them meanwhile.
   *
   * @throws what `change` throws; then nothing has changed
   */
  change(change: (keys: readonly LocalKeyRecord[]) => readonly LocalKeyRecord[]): Promise<void>;
}

/** Of this process, gone when it ends. */
export function memoryKeyStore(): LocalKeyStore {
  let keys: readonly LocalKeyRecord[] = [];
  return {
    list: async () => keys,
    async change(change) {
      keys = change(keys);
    },
  };
}
