import { PortError } from './error.ts';

/** `properties` of a Port document, with the parameters put in (CONTROL-PLANE.md section 3.1). */
export interface PortProperties {
  /** 1 to 65,535. */
  readonly port: number;
  /** The host to connect to, as the node resolves it. Undefined for the node itself. */
  readonly host: string | undefined;
  /** Whether connections are forwarded, with `type` `LocalPortForwarding`, or one stream is carried raw, as for SSH. */
  readonly forwarding: boolean;
}

/** @throws {PortError} `ERR_PORT_PROPERTIES` */
export function parsePortProperties(properties: unknown): PortProperties {
  const { portNumber, host, type } = (properties ?? {}) as Readonly<Record<string, unknown>>;
  // AWS's agent takes a string; a document may well have a number.
  const port =
    typeof portNumber === 'string' && /^\d{1,5}$/.test(portNumber) ? Number(portNumber) : portNumber;
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65_535) {
    throw unfit(`portNumber must be 1 to 65535, not ${shown(portNumber)}`);
  }
  if (host !== undefined && host !== null && typeof host !== 'string') throw unfit('host must be a string');
  if (type !== undefined && type !== null && type !== '' && type !== LOCAL_PORT_FORWARDING) {
    throw unfit(
      `the type ${shown(type)} is unknown; it is ${LOCAL_PORT_FORWARDING}, or absent for a raw stream`,
    );
  }
  return { port, host: host || undefined, forwarding: type === LOCAL_PORT_FORWARDING };
}

const LOCAL_PORT_FORWARDING = 'LocalPortForwarding';

function unfit(why: string): PortError {
  return new PortError('ERR_PORT_PROPERTIES', `The session document is not fit for a port session: ${why}.`);
}

function shown(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 40) ?? 'nothing';
}
