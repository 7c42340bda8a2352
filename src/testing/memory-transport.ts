import type { Clock } from '../base/clock.ts';
import { deferred } from '../base/deferred.ts';
import { TransportError } from '../core/errors.ts';
import type { ConnectOptions, Socket, Transport } from '../core/socket.ts';
import { type SocketPair, socketPair } from './socket-pair.ts';

/** The two functions a service is, as `SessionManagerService` has them. */
export interface MemoryService {
  fetch(request: Request): Promise<Response>;
  /** Answers the request that would open a WebSocket: refused with a response, or accepted with a function. */
  upgrade(request: Request): Promise<Response | ((socket: Socket) => void)>;
}

export interface MemoryTransportOptions {
  /** Times requests and deliveries. Without one, they take promise jobs only. */
  readonly clock?: Clock;
  /** One way, in milliseconds of `clock`, for requests, answers and messages. Default 0. */
  readonly latency?: number;
  /** See `SocketPairOptions.capacity`. */
  readonly capacity?: number;
  /**
   * Asked before each request and each upgrade. A response is given instead of the service's; an error is
   * thrown as if the network had failed; undefined lets the request through.
   */
  readonly fault?: (request: Request) => Response | Error | undefined;
}

export interface MemoryTransport extends Transport {
  /** The connections that are open, oldest first. */
  readonly connections: readonly MemoryConnection[];
}

export interface MemoryConnection {
  /** As given to `connect`. */
  readonly url: string;
  readonly open: boolean;
  /** The connection breaks, both ends are told 1006. */
  cut(): void;
}

/**
 * A transport that leads straight into `service`, with no network between: a whole Session Manager inside
 * one test.
 *
 *     const transport = memoryTransport(service, { clock, latency: 25 });
 *     const client = new SessionClient({ region, credentials, endpoint, platform: { clock, transport } });
 *     transport.connections[0]?.cut();
 */
export function memoryTransport(
  service: MemoryService,
  options: MemoryTransportOptions = {},
): MemoryTransport {
  let connections: MemoryConnection[] = [];

  const fetch = async (request: Request) => {
    const { signal } = request;
    await untilAborted(travel(options), signal);
    const response = faulty(options, request) ?? (await untilAborted(service.fetch(request), signal));
    await untilAborted(travel(options), signal);
    return response;
  };

  const connect = async (url: string, { headers = {}, signal }: ConnectOptions = {}) => {
    const request = upgradeRequest(url, headers);
    await untilAborted(travel(options), signal);
    const answer = faulty(options, request) ?? (await untilAborted(service.upgrade(request), signal));
    if (answer instanceof Response) throw await refused(url, answer);
    const pair = socketPair(options);
    connections = [...connections.filter(isOpen), connection(url, pair)];
    answer(pair.server);
    try {
      await untilAborted(travel(options), signal);
    } catch (aborted) {
      pair.cut();
      throw aborted;
    }
    // Nobody would tell whoever connects that it was cut before there was a handler.
    if (!pair.open) throw broken(url);
    return pair.client;
  };

  return {
    fetch,
    connect,
    get connections() {
      return connections.filter(isOpen);
    },
  };
}

/** The way to the service, or back. */
async function travel({ clock, latency = 0 }: MemoryTransportOptions): Promise<void> {
  if (clock && latency > 0) await new Promise<void>((resolve) => clock.schedule(latency, resolve));
}

function faulty(options: MemoryTransportOptions, request: Request): Response | undefined {
  const fault = options.fault?.(request);
  if (fault instanceof Error) throw fault;
  return fault;
}

/** What an HTTP server would make of the upgrade: `http(s)`, and a `host` header, which signatures cover. */
function upgradeRequest(url: string, headers: Readonly<Record<string, string>>): Request {
  const target = new URL(url.replace(/^ws/, 'http'));
  return new Request(target, { headers: { host: target.host, upgrade: 'websocket', ...headers } });
}

function connection(url: string, pair: SocketPair): MemoryConnection {
  return {
    url,
    cut: pair.cut,
    get open() {
      return pair.open;
    },
  };
}

function isOpen({ open }: MemoryConnection): boolean {
  return open;
}

function broken(url: string): TransportError {
  return new TransportError(
    'ERR_CONNECT_FAILED',
    `The connection to ${new URL(url).host} broke while it was being opened.`,
  );
}

async function refused(url: string, answer: Response): Promise<TransportError> {
  const { host, pathname } = new URL(url);
  const reason = (await answer.text()).trim() || answer.statusText;
  return new TransportError(
    'ERR_UPGRADE_REFUSED',
    `${host} answered the WebSocket upgrade of ${pathname} with status ${answer.status}: ${reason}`,
  );
}

/** `work`, unless the signal comes first. */
async function untilAborted<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return work;
  const aborted = deferred<never>();
  const abort = () => aborted.reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort);
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
