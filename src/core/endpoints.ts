/** Where the services are (CONTROL-PLANE.md sections 5.3 and 5.4). */
import { EndpointError } from './errors.ts';

/** The API, and the message gateway that carries control and data channels. */
export type EndpointService = 'ssm' | 'ssmmessages';

/** Whatever is called at AWS, by the name that host names begin with and requests are signed for. */
export type AwsService = EndpointService | 'kms';

/** Named as in AWS's SDK. */
export interface EndpointVariant {
  /** Default false. */
  readonly useFipsEndpoint?: boolean;
  /** IPv4 and IPv6. Default false. */
  readonly useDualstackEndpoint?: boolean;
}

/** A group of regions with accounts and domains of its own. */
export interface Partition {
  readonly id: string;
  readonly regions: RegExp;
  readonly dnsSuffix: string;
  readonly dualStackDnsSuffix: string;
}

export const PARTITIONS: readonly [aws: Partition, ...others: Partition[]] = [
  {
    id: 'aws',
    regions: /^(us|eu|ap|sa|ca|me|af|il|mx)-\w+-\d+$/,
    dnsSuffix: 'amazonaws.com',
    dualStackDnsSuffix: 'api.aws',
  },
  {
    id: 'aws-cn',
    regions: /^cn-\w+-\d+$/,
    dnsSuffix: 'amazonaws.com.cn',
    dualStackDnsSuffix: 'api.amazonwebservices.com.cn',
  },
  {
    id: 'aws-us-gov',
    regions: /^us-gov-\w+-\d+$/,
    dnsSuffix: 'amazonaws.com',
    dualStackDnsSuffix: 'api.aws',
  },
  {
    id: 'aws-iso',
    regions: /^us-iso-\w+-\d+$/,
    dnsSuffix: 'c2s.ic.gov',
    dualStackDnsSuffix: 'api.aws.ic.gov',
  },
  {
    id: 'aws-iso-b',
    regions: /^us-isob-\w+-\d+$/,
    dnsSuffix: 'sc2s.sgov.gov',
    dualStackDnsSuffix: 'api.aws.scloud',
  },
  {
    id: 'aws-iso-e',
    regions: /^eu-isoe-\w+-\d+$/,
    dnsSuffix: 'cloud.adc-e.uk',
    dualStackDnsSuffix: 'api.cloud-aws.adc-e.uk',
  },
  {
    id: 'aws-iso-f',
    regions: /^us-isof-\w+-\d+$/,
    dnsSuffix: 'csp.hci.ic.gov',
    dualStackDnsSuffix: 'api.aws.hci.ic.gov',
  },
  {
    id: 'aws-eusc',
    regions: /^eusc-de-\w+-\d+$/,
    dnsSuffix: 'amazonaws.eu',
    dualStackDnsSuffix: 'api.amazonwebservices.eu',
  },
];

/**
 * The partition of a region. A region that no pattern knows, such as one newer than this table, is taken to
 * be in `aws`, as the real agent does.
 *
 * @throws {EndpointError} for text that cannot be a region, and so must not become part of a host name
 */
export function partitionOf(region: string): Partition {
  if (!/^[A-Za-z0-9-]{1,63}$/.test(region)) {
    throw new EndpointError('ERR_REGION_INVALID', `${JSON.stringify(region)} is not the name of a region.`);
  }
  return PARTITIONS.find(({ regions }) => regions.test(region)) ?? PARTITIONS[0];
}

/** The address of a service in a region. @throws {EndpointError} for text that cannot be a region */
export function endpointOf(service: AwsService, region: string, variant: EndpointVariant = {}): URL {
  const { id, dnsSuffix, dualStackDnsSuffix } = partitionOf(region);
  const { useFipsEndpoint = false, useDualstackEndpoint = false } = variant;
  // In us-gov the plain name of the API is the FIPS endpoint.
  const plainIsFips = id === 'aws-us-gov' && service === 'ssm' && !useDualstackEndpoint;
  const name = useFipsEndpoint && !plainIsFips ? `${service}-fips` : service;
  return new URL(`https://${name}.${region}.${useDualstackEndpoint ? dualStackDnsSuffix : dnsSuffix}`);
}

/** Whether a host is in a domain of AWS's own, VPC endpoints included. */
export function isOfAws({ hostname }: URL): boolean {
  return PARTITIONS.some(({ dnsSuffix, dualStackDnsSuffix }) =>
    [dnsSuffix, dualStackDnsSuffix].some((suffix) => hostname.endsWith(`.${suffix}`)),
  );
}

/**
 * An endpoint given by the user: `https:`, or `http:` to this machine or with `allowInsecure`.
 *
 * @throws {EndpointError}
 */
export function parseEndpoint(endpoint: string | URL, allowInsecure = false): URL {
  const url = parseUrl(endpoint, 'ERR_ENDPOINT_INVALID', 'The endpoint');
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new EndpointError(
      'ERR_ENDPOINT_INVALID',
      `The endpoint ${url.host} must begin with https: or http:, not ${url.protocol}`,
    );
  }
  if (url.protocol === 'http:') assertMayBeInsecure(url, allowInsecure);
  return url;
}

/** Which hosts a stream URL may lead to, beside the message gateways of AWS. */
export interface StreamHosts {
  /** The custom endpoint of the API: its host is trusted with streams as well, on any port. */
  readonly endpoint?: URL | undefined;
  /** Host names, each with or without `:port`. Default none. */
  readonly allowedStreamHosts?: readonly string[] | undefined;
  /** Lets `ws:` lead to other machines. Default false. */
  readonly allowInsecure?: boolean | undefined;
}

/**
 * Checks a stream URL before a token is sent there: `wss:` (`ws:` to this machine only) and a host that is a
 * message gateway of AWS, a VPC endpoint of one, or vouched for by the user. The URL is then to be opened as
 * it stands; AWS puts parameters of its own in it.
 *
 * @throws {EndpointError}
 */
export function checkStreamUrl(streamUrl: string, hosts: StreamHosts = {}): void {
  const url = parseUrl(streamUrl, 'ERR_STREAM_URL_REFUSED', 'The stream URL');
  if (url.protocol !== 'wss:' && url.protocol !== 'ws:') {
    throw new EndpointError(
      'ERR_STREAM_URL_REFUSED',
      `The stream URL leads to ${url.host} by ${url.protocol} where wss: is due.`,
    );
  }
  if (url.protocol === 'ws:') assertMayBeInsecure(url, hosts.allowInsecure ?? false);
  if (url.protocol === 'wss:' && url.port === '' && isMessageGateway(url.hostname)) return;
  if (hosts.endpoint && isSameHost(hosts.endpoint.hostname, url.hostname)) return;
  const allowed = hosts.allowedStreamHosts?.map((host) => host.toLowerCase()) ?? [];
  if (allowed.includes(url.hostname) || allowed.includes(hostAndPort(url))) return;
  throw new EndpointError(
    'ERR_STREAM_URL_REFUSED',
    `The stream URL leads to ${url.host}, which is no message gateway of AWS. If that host is meant to carry sessions, list it in allowedStreamHosts.`,
  );
}

function parseUrl(text: string | URL, code: EndpointError['code'], what: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    // No cause: the parser's message quotes the text.
    throw new EndpointError(code, `${what} is not a URL.`);
  }
  if (url.username !== '' || url.password !== '' || url.hash !== '') {
    throw new EndpointError(code, `${what} at ${url.host} must not hold a user, a password or a fragment.`);
  }
  return url;
}

function assertMayBeInsecure(url: URL, allowInsecure: boolean): void {
  if (allowInsecure || isLoopback(url.hostname)) return;
  throw new EndpointError(
    'ERR_ENDPOINT_INSECURE',
    `${url.protocol} to ${url.host} would send credentials and session data in the clear. Use TLS, or set allowInsecure where the network itself is trusted.`,
  );
}

/** The URL parser has put IPv4 into its usual form by now. */
function isLoopback(hostname: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

function isSameHost(a: string, b: string): boolean {
  return a === b || (isLoopback(a) && isLoopback(b));
}

function isMessageGateway(hostname: string): boolean {
  const match = /^(?:vpce-[a-z0-9-]+\.)?ssmmessages(?:-fips)?\.([a-z0-9-]{1,63})\.(.+)$/.exec(hostname);
  if (!match) return false;
  const [, region = '', suffix] = match;
  const { dnsSuffix, dualStackDnsSuffix } = partitionOf(region);
  if (hostname.startsWith('vpce-')) return suffix === `vpce.${dnsSuffix}`;
  return suffix === dnsSuffix || suffix === dualStackDnsSuffix;
}

/** The port as well where the URL leaves the default one out. */
function hostAndPort(url: URL): string {
  return `${url.hostname}:${url.port || (url.protocol === 'wss:' ? '443' : '80')}`;
}
