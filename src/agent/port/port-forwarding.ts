import { parsePortProperties } from '../../core/port/port-properties.ts';
import { clientMultiplexes, portVariant } from '../../core/port/variant.ts';
import type { SessionHandler } from '../session.ts';
import { basicPort } from './basic-port.ts';
import type { Dialer } from './dialer.ts';
import { multiplexedPort } from './multiplexed-port.ts';
import { rawPort } from './raw-port.ts';

/**
 * The handler of `Port` sessions: connects clients to ports of the node, and to hosts that it reaches (PROTOCOL.md
 * section 9). Many connections at a time with hawser's clients and AWS's, one after another with old ones, and one raw
 * stream for SSH.
 */
export function portForwarding(dialer: Dialer): SessionHandler {
  return async (session) => {
    const { host, port, forwarding } = parsePortProperties(session.properties);
    const destination = { host, port };
    await dialer.check?.(destination);
    const handshake = await session.handshake({ smux: 2 });
    const variant = portVariant(handshake, forwarding, clientMultiplexes(handshake.clientVersion));
    const dial = () => dialer.dial(destination, session.signal);
    if (variant.kind === 'multiplexed') await multiplexedPort(session, variant.version, dial);
    else if (variant.kind === 'basic') await basicPort(session, dial);
    else await rawPort(session, dial);
    return {};
  };
}
