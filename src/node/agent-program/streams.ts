import type { Readable, Writable } from 'node:stream';

export interface ProgramStreams {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable;
  readonly stderr: Writable;
}
