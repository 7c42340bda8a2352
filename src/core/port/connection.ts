/**
 * A connection as bytes in both directions: a TCP connection, a stream of a port session, whatever has two web
 * streams. Sockets of Deno and of Cloudflare's workers are of this form as they are.
 *
 * Each direction ends by itself: closing `writable` sends the end, and `readable` goes on until the other side has
 * ended, too. Aborting `writable` ends both directions at once.
 */
export interface Connection {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

/**
 * Carries bytes both ways between two connections until both directions have ended, each when its side ends it. An
 * error on either side ends both connections. Never rejects: the answer is the first error, if there was one.
 */
export async function join(one: Connection, other: Connection): Promise<Error | undefined> {
  const there = one.readable.pipeTo(other.writable);
  const back = other.readable.pipeTo(one.writable);
  // What breaks one direction breaks the connection: the far side of the other would wait for ever.
  let first: Error | undefined;
  const broken = (writable: WritableStream<Uint8Array>) => (error: Error) => {
    first ??= error;
    writable.abort(error).catch(() => {});
  };
  await Promise.all([there.catch(broken(one.writable)), back.catch(broken(other.writable))]);
  return first;
}
