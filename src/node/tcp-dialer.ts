import { lookup } from 'node:dns/promises';
import { setMaxListeners } from 'node:events';
import { connect, isIP } from 'node:net';
import type { Destination, Dialer } from '../agent/port/dialer.ts';
import type { Connection } from '../core/port/connection.ts';
import { NodeError } from './error.ts';
import { socketConnection } from './socket-connection.ts';

export interface TcpDialerOptions {
  /**
   * Addresses that no client is connected to, whatever name leads there. Default {@link DENIED_ADDRESSES}: the metadata
   * and name services of EC2, as AWS's agent.
   */
  readonly denied?: readonly string[];
  /** Milliseconds for one address to answer. Default 30,000. */
  readonly timeout?: number;
}

/** What AWS's agent forwards nobody to (CONTROL-PLANE.md section 5.4). */
export const DENIED_ADDRESSES: readonly string[] = [
  '169.254.169.254',
  'fd00:ec2::254',
  '169.254.169.253',
  'fd00:ec2::253',
  '169.254.169.123',
  'fd00:ec2::123',
  '169.254.169.250',
  '169.254.169.251',
  'fd00:ec2::240',
];

/**
 * Connects over TCP. A name is resolved once for each connection, and the addresses that were checked are those that
 * are connected to, in their order, until one answers.
 */
export function tcpDialer({ denied = DENIED_ADDRESSES, timeout = 30_000 }: TcpDialerOptions = {}): Dialer {
  const forbidden = new Set(denied.map(canonical));
  const allowed = async ({ host = 'localhost' }: Destination): Promise<readonly string[]> => {
    const addresses = isIP(host) ? [host] : (await lookup(host, { all: true })).map(({ address }) => address);
    for (const address of addresses) if (forbidden.has(canonical(address))) throw forbiddenAddress(host);
    return addresses;
  };
  return {
    async check(destination) {
      try {
        await allowed(destination);
      } catch (error) {
        // A name that cannot be resolved may be known when there is somebody to connect.
        if (error instanceof NodeError) throw error;
      }
    },
    async dial(destination, signal) {
      // Many may dial under the one signal of their session: that is no leak to warn of.
      setMaxListeners(0, signal);
      let failure: unknown;
      for (const address of await allowed(destination)) {
        try {
          return await dial(address, destination.port, timeout, signal);
        } catch (error) {
          if (signal.aborted) throw error;
          failure ??= error;
        }
      }
      throw failure;
    },
  };
}

function dial(host: string, port: number, timeout: number, signal: AbortSignal): Promise<Connection> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const socket = connect({ host, port, allowHalfOpen: true });
    const abort = () => socket.destroy(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    const timedOut = () =>
      socket.destroy(Object.assign(new Error(`connect ETIMEDOUT ${host}:${port}`), { code: 'ETIMEDOUT' }));
    socket.setTimeout(timeout, timedOut);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.off('timeout', timedOut);
      socket.off('error', reject);
      signal.removeEventListener('abort', abort);
      resolve(socketConnection(socket));
    });
  });
}

/** One spelling for each address: IPv6 has many, and some of them for IPv4. */
function canonical(address: string): string {
  const plain = address.replace(/%.*$/, '');
  if (isIP(plain) !== 6) return plain;
  const { hostname } = new URL(`http://[${plain}]/`);
  const mapped = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(hostname);
  if (!mapped) return hostname;
  const [high, low] = [Number.parseInt(mapped[1]!, 16), Number.parseInt(mapped[2]!, 16)];
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/** The text of AWS's agent. */
function forbiddenAddress(host: string): NodeError {
  return new NodeError('ERR_ADDRESS_FORBIDDEN', `Forwarding to IP address ${host} is forbidden.`);
}
