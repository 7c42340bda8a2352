import { NodeError } from './error.ts';

/** The part of `@lydell/node-pty` (and of `node-pty`, which it is built from) that hawser uses. */
export interface NodePty {
  spawn(file: string, args: string[], options: object): NodePtyProcess;
}

export interface NodePtyProcess {
  readonly pid: number;
  /** Bytes with `encoding: null`, whatever the type says. */
  readonly onData: (listener: (data: string) => void) => unknown;
  readonly onExit: (listener: (exit: { exitCode: number; signal?: number }) => void) => unknown;
  resize(cols: number, rows: number): void;
  write(data: string): void;
  pause(): void;
  resume(): void;
}

/** @throws {NodeError} `ERR_NODE_PTY_MISSING` */
export async function loadNodePty(): Promise<NodePty> {
  try {
    const module = await import('@lydell/node-pty');
    return (module.default ?? module) as unknown as NodePty;
  } catch (cause) {
    throw new NodeError(
      'ERR_NODE_PTY_MISSING',
      'A shell in a terminal needs the package @lydell/node-pty, which could not be loaded. Install it beside hawser: npm install @lydell/node-pty',
      { cause },
    );
  }
}
