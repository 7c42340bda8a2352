import type { Session } from '../core/session.ts';

/**
 * Turns the signals that a terminal makes of keys into those keys, for the node. @returns a function that stops it
 *
 * @param send puts a key behind the input that is on its way
 */
export function forwardSignals(session: Session, send: (bytes: Uint8Array) => void): () => void {
  const handlers = {
    SIGINT: () => session.interrupt(),
    SIGQUIT: () => send(CTRL_BACKSLASH),
    SIGTSTP: () => send(CTRL_Z),
  };
  const signals = Object.entries(handlers) as [keyof typeof handlers, () => void][];
  for (const [signal, handler] of signals) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of signals) process.off(signal, handler);
  };
}

const CTRL_BACKSLASH = Uint8Array.of(0x1c);
const CTRL_Z = Uint8Array.of(0x1a);
