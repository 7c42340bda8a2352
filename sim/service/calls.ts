import type { Clock } from '../../src/base/clock.ts';
import { utf8 } from '../../src/base/encoding.ts';
import type { Socket, Transport } from '../../src/core/socket.ts';
import { type Credentials, signRequest } from '../../src/crypto/index.ts';

export const REGION = 'eu-central-1';
export const ENDPOINT = 'http://service.localhost';

/** The signed requests that the real programs make. */
export class Calls {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #credentials: Credentials;

  constructor(transport: Transport, clock: Clock, credentials: Credentials) {
    this.#transport = transport;
    this.#clock = clock;
    this.#credentials = credentials;
  }

  /** An operation of the `ssm` API. @throws when it is refused, or the network fails */
  async ssm(operation: string, input: object): Promise<Record<string, string | undefined>> {
    const response = await this.#post('ssm', '/', input, {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `AmazonSSM.${operation}`,
    });
    const body = await response.text();
    if (response.status !== 200) throw new Error(`${operation}: ${response.status} ${body}`);
    return JSON.parse(body) as Record<string, string | undefined>;
  }

  /** CreateControlChannel and CreateDataChannel: the status, and the token or what was said instead. */
  async createChannel(path: string, members: object): Promise<{ token?: string; said: string }> {
    const input = { MessageSchemaVersion: '1.0', RequestId: 'r', ...members };
    const response = await this.#post('ssmmessages', path, input, {});
    const said = await response.text();
    const token = response.status === 201 ? /<TokenValue>(.*)<\/TokenValue>/.exec(said)?.[1] : undefined;
    return { ...(token !== undefined && { token }), said };
  }

  /** Opens an agent's channel. @throws {TransportError} */
  async connectSigned(path: string): Promise<Socket> {
    const url = new URL(path, ENDPOINT);
    const headers = await this.#sign('ssmmessages', 'GET', url, {}, new Uint8Array());
    return this.#transport.connect(url.href.replace(/^http/, 'ws'), { headers });
  }

  /** Opens a client's channel. @throws {TransportError} */
  connect(streamUrl: string): Promise<Socket> {
    return this.#transport.connect(streamUrl);
  }

  async #post(service: string, path: string, input: object, headers: Record<string, string>) {
    const url = new URL(path, ENDPOINT);
    const body = utf8(JSON.stringify(input)) as Uint8Array<ArrayBuffer>;
    const signed = await this.#sign(service, 'POST', url, headers, body);
    return this.#transport.fetch(new Request(url, { method: 'POST', headers: signed, body }));
  }

  #sign(service: string, method: string, url: URL, headers: Record<string, string>, body: Uint8Array) {
    const credentials = this.#credentials;
    return signRequest(
      { method, url, headers, body },
      { credentials, region: REGION, service, now: this.#clock.now() },
    );
  }
}
