/** What the host of a service knows of the connection that a request came by, and the request does not tell. */
export interface ConnectionInfo {
  /**
   * Address of the caller, v4 or v6, which policies see as `aws:SourceIp`. Behind a proxy that is not the address of the
   * peer: take it from a header that the proxy alone can set. Default: unknown, and the key is absent.
   */
  readonly remoteAddress?: string;
  /** `aws:SecureTransport`. Default: whether the URL of the request begins with `https:`. */
  readonly secure?: boolean;
}

/** A connection of which nothing was told but what the request itself says. */
export function connectionOf(request: Request, { remoteAddress, secure }: ConnectionInfo): ConnectionInfo {
  return {
    ...(remoteAddress !== undefined && { remoteAddress }),
    secure: secure ?? request.url.startsWith('https:'),
  };
}
