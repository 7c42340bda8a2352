import { type EndpointService, type EndpointVariant, endpointOf, parseEndpoint } from '../core/endpoints.ts';

/** Where a node finds the services. Default: AWS's own of the region. */
export interface NodeEndpointOptions extends EndpointVariant {
  readonly region: string;
  /**
   * Base URL of both services, for example `http://127.0.0.1:8080`, or of each apart (`Ssm.Endpoint` and `Mgs.Endpoint`
   * of the real agent); one that is left out is AWS's own.
   */
  readonly endpoint?: string | URL | Partial<Readonly<Record<EndpointService, string | URL>>> | undefined;
  /** Lets endpoints be `http:` to another machine. Default false. */
  readonly allowInsecure?: boolean | undefined;
}

/** @throws {EndpointError} for an endpoint or region that cannot be used */
export function nodeEndpoint(service: EndpointService, options: NodeEndpointOptions): URL {
  const { endpoint, region, allowInsecure } = options;
  const both = typeof endpoint === 'string' || endpoint instanceof URL;
  const given = both ? endpoint : endpoint?.[service];
  return given === undefined ? endpointOf(service, region, options) : parseEndpoint(given, allowInsecure);
}
