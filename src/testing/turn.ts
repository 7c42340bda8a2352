/**
 * Resolves when every promise job that is ready, and every job those make ready, has run: one turn of the
 * runtime's event loop, which empties the microtask queue (and on Node.js the `nextTick` queue) before it
 * goes on. A counted loop of `await Promise.resolve()` would stop short of longer chains and starve
 * `nextTick`.
 *
 * What another thread does (WebCrypto, compression, real sockets, child processes) does not finish within
 * one turn.
 */
export const turn: () => Promise<void> =
  typeof setImmediate === 'function' ? turnOfImmediates(setImmediate) : turnOfMessages;

// Captured at load, so that a test framework's fake timers cannot stop the virtual clock.
function turnOfImmediates(immediate: (callback: () => void) => unknown): () => Promise<void> {
  return () => new Promise((resolve) => immediate(resolve));
}

/** Browsers, workers: a message to oneself is a task, and unlike `setTimeout(0)` never held back 4 ms. */
function turnOfMessages(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close(); // an open port would keep the program alive
      resolve();
    };
    port2.postMessage(undefined);
  });
}
