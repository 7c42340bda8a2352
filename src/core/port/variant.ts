import type { ReadyEvent } from '../../channel/events.ts';
import { compareVersions } from '../version.ts';

/** How a port session carries connections (PROTOCOL.md section 9). */
export type PortVariant =
  /** Many at a time, as smux streams of this version: 2 between hawser's ends, 1 with AWS's programs. */
  | { readonly kind: 'multiplexed'; readonly version: 1 | 2 }
  /** One after another, with old programs. */
  | { readonly kind: 'basic' }
  /** One stream for the whole session, as SSH uses it. */
  | { readonly kind: 'raw' };

/**
 * What both ends conclude from the handshake.
 *
 * @param forwarding whether the document says `LocalPortForwarding`
 * @param multiplexes whether the far end is new enough for many connections
 */
export function portVariant(
  { smux }: Pick<NonNullable<ReadyEvent['handshake']>, 'smux'>,
  forwarding: boolean,
  multiplexes: boolean,
): PortVariant {
  if (smux === 2) return { kind: 'multiplexed', version: 2 };
  if (!forwarding) return { kind: 'raw' };
  return multiplexes ? { kind: 'multiplexed', version: 1 } : { kind: 'basic' };
}

/** From this version on AWS's plugin multiplexes (PROTOCOL.md section 7). */
export function clientMultiplexes(clientVersion = ''): boolean {
  return compareVersions(clientVersion, '1.1.70.0') >= 0;
}

/** Beyond this version AWS's agent multiplexes (PROTOCOL.md section 7). */
export function agentMultiplexes(agentVersion = ''): boolean {
  return compareVersions(agentVersion, '3.0.196.0') > 0;
}
