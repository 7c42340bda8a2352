import { writeSync } from 'node:fs';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';

/** A pseudo-terminal as `node-pty` has it: a descriptor that does not block, where it says so. */
export interface PtyFile {
  readonly fd?: number;
  write(data: string): void;
}

/** Writes to a pseudo-terminal what it takes, and waits while it takes nothing. */
export class PtyInput {
  readonly #pty: PtyFile;

  constructor(pty: PtyFile) {
    this.#pty = pty;
  }

  /** @param ended whether nobody is left to read */
  async write(bytes: Uint8Array, ended: () => boolean): Promise<void> {
    const { fd } = this.#pty;
    if (fd === undefined) {
      if (!ended()) this.#pty.write(bytes as unknown as string);
      return;
    }
    let tries = 0;
    for (let rest = bytes; rest.length > 0 && !ended(); ) {
      const taken = tryWrite(fd, rest);
      if (taken === undefined) return;
      rest = rest.subarray(taken);
      tries = taken > 0 ? 0 : tries + 1;
      // No event tells when there is room again. A program that reads makes some soon.
      if (tries > QUICK_TRIES) await sleep(Math.min(tries - QUICK_TRIES, MAX_WAIT));
      else if (rest.length > 0) await turn();
    }
  }
}

/** Turns of the event loop, before time is left between two tries. */
const QUICK_TRIES = 16;
/** Milliseconds between two tries at most. */
const MAX_WAIT = 20;

/** @returns how much was taken; undefined when the terminal is gone */
function tryWrite(fd: number, bytes: Uint8Array): number | undefined {
  try {
    return writeSync(fd, bytes);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EAGAIN' ? 0 : undefined;
  }
}
