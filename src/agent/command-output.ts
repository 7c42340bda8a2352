import { concat, utf8 } from '../base/encoding.ts';
import type { AgentSession } from './session.ts';
import type { ShellProperties } from './shell-properties.ts';

/** Where a non-interactive command's output goes (PROTOCOL.md section 10). */
export interface CommandOutput {
  stdout(bytes: Uint8Array): Promise<void>;
  stderr(bytes: Uint8Array): Promise<void>;
  /** The command has ended, and all its output has been given. */
  exited(exitCode: number): Promise<void>;
}

/**
 * With `separateOutputStream`, stdout and stderr go apart, each with its prefix, and the exit status follows them;
 * without, both are one stream and nothing follows.
 */
export function commandOutput(session: AgentSession, properties: ShellProperties): CommandOutput {
  if (!properties.separateOutputStream) {
    const write = (bytes: Uint8Array) => session.write(bytes);
    return { stdout: write, stderr: write, exited: async () => {} };
  }
  const onStdout = prefixer(properties.stdOutSeparatorPrefix);
  const onStderr = prefixer(properties.stdErrSeparatorPrefix);
  return {
    stdout: (bytes) => session.write(onStdout(bytes)),
    stderr: (bytes) => session.writeStderr(onStderr(bytes)),
    exited: (exitCode) => session.sendExitCode(exitCode),
  };
}

/** The signal that a byte of input means to a non-interactive command; other input is ignored. */
export function controlSignal(byte: number): 'SIGINT' | 'SIGQUIT' | undefined {
  if (byte === ETX) return 'SIGINT';
  return byte === FS ? 'SIGQUIT' : undefined;
}

/** Ctrl-C and Ctrl-\. */
const ETX = 0x03;
const FS = 0x1c;
const LF = 0x0a;

/** Before the first chunk, and before each that follows one ending in a line feed: per chunk, not per line. */
function prefixer(prefix: string): (chunk: Uint8Array) => Uint8Array {
  const bytes = utf8(prefix);
  let due = true;
  return (chunk) => {
    if (bytes.length === 0 || chunk.length === 0) return chunk;
    const whole = due ? concat([bytes, chunk]) : chunk;
    due = chunk.at(-1) === LF;
    return whole;
  };
}
