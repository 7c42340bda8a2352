import { CLIENT_VERSION } from '../channel/constants.ts';
import { formatOpenDataChannel } from '../channel/payload/open-channel.ts';
import { withDeadline } from './deadline.ts';
import { checkStreamUrl, type StreamHosts } from './endpoints.ts';
import { TransportError } from './errors.ts';
import type { Platform } from './platform.ts';
import type { Socket } from './socket.ts';

/** Opens a connection of one data channel and sends the opening message. @throws {EndpointError} @throws {TransportError} */
export type DataChannelOpener = (
  streamUrl: string,
  tokenValue: string,
  signal?: AbortSignal,
) => Promise<Socket>;

/** One for each session: the ClientId stays the same across its connections (PROTOCOL.md section 5). */
export function dataChannelOpener(
  { transport, clock, random }: Platform,
  hosts: StreamHosts,
): DataChannelOpener {
  const clientId = random.uuid();
  return async (streamUrl, tokenValue, signal) => {
    checkStreamUrl(streamUrl, hosts);
    const timedOut = () =>
      new TransportError(
        'ERR_CONNECT_TIMEOUT',
        `${new URL(streamUrl).host} did not accept the data channel within ${CONNECT_TIMEOUT} ms.`,
      );
    return withDeadline(clock, CONNECT_TIMEOUT, signal, timedOut, async (signal) => {
      const socket = await transport.connect(streamUrl, { signal });
      if (signal.aborted) {
        socket.close();
        throw signal.reason;
      }
      socket.send(
        formatOpenDataChannel({
          requestId: random.uuid(),
          tokenValue,
          clientId,
          clientVersion: CLIENT_VERSION,
        }),
      );
      return socket;
    });
  };
}

/** Milliseconds. */
const CONNECT_TIMEOUT = 15_000;
