import { concat, fromUtf8, utf8 } from '../base/encoding.ts';
import { AGENT_VERSION } from '../channel/constants.ts';
import { formatOpenControlChannel, formatOpenDataChannel } from '../channel/payload/open-channel.ts';
import { withDeadline } from '../core/deadline.ts';
import type { Platform } from '../core/platform.ts';
import type { RequestSigner } from '../core/request-signer.ts';
import type { ServiceClock } from '../core/service-clock.ts';
import type { Socket } from '../core/socket.ts';
import { AgentError } from './error.ts';

export interface GatewayOptions {
  /** Base URL of the message gateway (`ssmmessages`). */
  readonly endpoint: URL;
  readonly instanceId: string;
  /** `linux`, `macos` or `windows`. */
  readonly platformType: string;
  readonly signer: RequestSigner;
  readonly serviceClock: ServiceClock;
  readonly platform: Platform;
}

/** The way to the message gateway: opens control and data channels (PROTOCOL.md section 5). */
export class MessageGateway {
  readonly #options: GatewayOptions;

  constructor(options: GatewayOptions) {
    this.#options = options;
  }

  /** @throws {AgentError} `ERR_AGENT_REFUSED`, `_GATEWAY`, `_TIMEOUT` @throws {TransportError} @throws {CredentialsError} */
  async openControlChannel(signal: AbortSignal): Promise<Socket> {
    const path = `/v1/control-channel/${encodeURIComponent(this.#options.instanceId)}`;
    const tokenValue = await this.#createToken(path, {}, signal);
    const socket = await this.#connect(`${path}?role=subscribe&stream=input`, signal);
    socket.send(
      formatOpenControlChannel({
        requestId: this.#uuid(),
        tokenValue,
        agentVersion: AGENT_VERSION,
        platformType: this.#options.platformType,
      }),
    );
    return socket;
  }

  /** @throws also {AgentError} `ERR_AGENT_SESSION_TERMINATED`: there is nothing to open any more */
  async openDataChannel(sessionId: string, signal: AbortSignal): Promise<Socket> {
    const path = `/v1/data-channel/${encodeURIComponent(sessionId)}`;
    // The real agent's ClientId is empty, too.
    const tokenValue = await this.#createToken(path, { ClientId: '' }, signal);
    const socket = await this.#connect(`${path}?role=publish_subscribe`, signal);
    const { instanceId } = this.#options;
    socket.send(
      formatOpenDataChannel({
        requestId: this.#uuid(),
        tokenValue,
        clientId: '',
        clientInstanceId: instanceId,
      }),
    );
    return socket;
  }

  async #createToken(path: string, members: object, signal: AbortSignal): Promise<string> {
    const { signer, serviceClock } = this.#options;
    for (let corrected = false; ; ) {
      const { response, text } = await this.#post(path, members, signal);
      if (response.status === 201) return readToken(text, path);
      if (REFUSALS.has(response.status)) {
        // A signature made at another time than the service's is refused; the answer says what time that is.
        if (!corrected && serviceClock.correct(response)) {
          corrected = true;
          continue;
        }
        signer.refused?.();
      }
      throw refusal(response.status, text, path);
    }
  }

  async #post(path: string, members: object, signal: AbortSignal) {
    const body = utf8(
      JSON.stringify({ MessageSchemaVersion: '1.0', RequestId: this.#uuid(), ...members }),
    ) as Uint8Array<ArrayBuffer>;
    const url = new URL(path, this.#options.endpoint);
    const { clock, transport } = this.#options.platform;
    return withDeadline(clock, TIMEOUT, signal, timedOut(`POST ${path}`), async (signal) => {
      const headers = await this.#sign('POST', url, { 'content-type': 'application/json' }, body);
      // A redirect would carry the session token elsewhere. `manual`, since not every runtime knows `error`.
      const request = new Request(url, { method: 'POST', headers, body, signal, redirect: 'manual' });
      const response = await transport.fetch(request);
      return { response, text: await readStart(response) };
    });
  }

  async #connect(path: string, signal: AbortSignal): Promise<Socket> {
    const url = new URL(path, this.#options.endpoint);
    const { clock, transport } = this.#options.platform;
    const overdue = timedOut(`the WebSocket upgrade of ${url.pathname}`);
    return withDeadline(clock, TIMEOUT, signal, overdue, async (signal) => {
      const headers = await this.#sign('GET', url, {});
      url.protocol = url.protocol === 'http:' ? 'ws:' : 'wss:';
      return transport.connect(url.href, { headers, signal });
    });
  }

  async #sign(method: string, url: URL, headers: Record<string, string>, body?: Uint8Array) {
    const { signer, serviceClock } = this.#options;
    const request = { method, url, headers, ...(body && { body }) };
    const { host: _, ...signed } = await signer.sign(request, () => serviceClock.now());
    return signed; // without `host`, which the HTTP client writes itself
  }

  #uuid(): string {
    return this.#options.platform.random.uuid();
  }
}

/** How signatures and credentials are refused. */
const REFUSALS: ReadonlySet<number> = new Set([400, 401, 403]);

/** Milliseconds; AWS's agent waits as long. */
const TIMEOUT = 15_000;

/** Bytes of an answer that are read; a token answer has about 300. */
const MAX_ANSWER = 65_536;

function timedOut(what: string): () => AgentError {
  return () => new AgentError('ERR_AGENT_TIMEOUT', `No answer to ${what} within ${TIMEOUT / 1000} s.`);
}

function readToken(text: string, path: string): string {
  const token = /<TokenValue>([^<]+)<\/TokenValue>/.exec(text)?.[1];
  if (token === undefined) {
    throw new AgentError('ERR_AGENT_GATEWAY', `The answer to POST ${path} has no TokenValue.`);
  }
  return unescapeXml(token);
}

function refusal(status: number, text: string, path: string): AgentError {
  if (text.includes('Session is already terminated')) {
    return new AgentError(
      'ERR_AGENT_SESSION_TERMINATED',
      `The session of POST ${path} is already terminated.`,
    );
  }
  const what = `The message gateway answered POST ${path} with status ${status}`;
  const reason = /<message>([^<]{1,500})<\/message>/i.exec(text)?.[1];
  const said = reason ? `: ${unescapeXml(reason)}` : '.';
  const denied = status === 401 || status === 403 || text.includes('<AccessDeniedException>');
  return denied
    ? new AgentError(
        'ERR_AGENT_REFUSED',
        `${what}${said} Check the credentials, the region and the instance id.`,
      )
    : new AgentError('ERR_AGENT_GATEWAY', `${what}${said}`);
}

async function readStart(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  const parts: Uint8Array[] = [];
  for (let length = 0; reader && length < MAX_ANSWER; ) {
    const { value, done } = await reader.read();
    if (done) return fromUtf8(concat(parts));
    parts.push(value);
    length += value.length;
  }
  await reader?.cancel();
  return fromUtf8(concat(parts));
}

const XML_ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|apos);/g, (_, name: string) => XML_ENTITIES[name]!);
}
