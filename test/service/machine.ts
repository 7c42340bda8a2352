/**
 * A machine that becomes a hybrid node, on the wire: every request as AWS's agent sends it (CONTROL-PLANE.md section
 * 2.8), signed here with node:crypto and nothing of ours.
 */
import {
  constants,
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import { type Credentials, signRequest } from '../../src/crypto/index.ts';
import { type Answer, ENDPOINT, REGION, type World } from './world.ts';

export interface Activation {
  readonly ActivationId: string;
  readonly ActivationCode: string;
}

export async function activate(w: World, input: object = {}): Promise<Activation> {
  return (await w.ok('CreateActivation', { IamRole: 'Fleet', ...input })) as unknown as Activation;
}

const keys: KeyObject[] = [];

/** RSA keys take long to make: the same one for the same number. */
export function rsaKey(index = 0): KeyObject {
  keys[index] ??= generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  return keys[index];
}

/** Base64 of the DER SubjectPublicKeyInfo. */
export function publicKeyOf(key: KeyObject): string {
  return createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64');
}

export function fingerprint(digit: number): string {
  return `${digit}0000000-0000-4000-8000-000000000000`;
}

/** Of a request that is to be signed with the key of a node: everything that can be wrong with it. */
export interface NodeRequest {
  readonly id: string;
  readonly operation: string;
  readonly body: string;
  readonly key: KeyObject;
  readonly now: number;
  readonly service?: string;
  readonly region?: string;
  readonly host?: string;
}

/** Headers as signed by the agent: `X-Amz-Content-Sha256` is sent, not signed. */
export function nodeHeaders(request: NodeRequest): Record<string, string> {
  const { id, operation, body, key, now, service = 'ssm', region = REGION } = request;
  const { host = new URL(ENDPOINT).host } = request;
  const date = new Date(now).toISOString().replace(/[-:]|\.\d{3}/g, '');
  const hash = (text: string) => createHash('sha256').update(text).digest('hex');
  const signed = {
    'content-type': 'application/x-amz-json-1.1',
    host,
    'x-amz-date': date,
    'x-amz-target': `AmazonSSM.${operation}`,
  };
  const names = Object.keys(signed).join(';');
  const lines = Object.entries(signed).map(([name, value]) => `${name}:${value}\n`);
  const canonical = ['POST', '/', '', lines.join(''), names, hash(body)].join('\n');
  const scope = `${date.slice(0, 8)}/${region}/${service}/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', date, scope, hash(canonical)].join('\n');
  const signature = sign('sha256', Buffer.from(text), {
    key,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: 32,
  });
  const { host: _, ...sent } = signed;
  return {
    ...sent,
    'user-agent': 'aws-sdk-go/1.44.260 (go1.20; linux; amd64) amazon-ssm-agent/3.3.0.0',
    'x-amz-content-sha256': hash(body),
    authorization: `AWS4-HMAC-SHA256 Credential=${id}/${scope}, SignedHeaders=${names}, Signature=${signature.toString('base64')}`,
    'accept-encoding': 'gzip',
  };
}

/** With a body of no stated length, as the agent's chunked one is. */
export function post(headers: Record<string, string>, body: string): Request {
  const stream = new ReadableStream({
    start(controller) {
      for (const part of [body.slice(0, 7), body.slice(7)]) {
        if (part !== '') controller.enqueue(new TextEncoder().encode(part));
      }
      controller.close();
    },
  });
  return new Request(new URL('/', ENDPOINT), {
    method: 'POST',
    headers,
    body: stream,
    duplex: 'half',
  } as RequestInit);
}

export async function send(w: World, request: Request): Promise<Answer> {
  const response = await w.clock.runUntil(w.service.fetch(request));
  await w.settle();
  const body = (await response.json()) as Record<string, unknown>;
  return { status: response.status, headers: response.headers, body };
}

export class Machine {
  readonly w: World;
  readonly fingerprint: string;
  key: KeyObject;
  id = '';

  constructor(w: World, index = 0) {
    this.w = w;
    this.fingerprint = fingerprint(index + 1);
    this.key = rsaKey(index);
  }

  /** RegisterManagedInstance: no `Authorization`, no `X-Amz-Date`. */
  async tryRegister(activation: Activation, changes: object = {}): Promise<Answer> {
    const body = {
      ...activation,
      Fingerprint: this.fingerprint,
      PublicKey: publicKeyOf(this.key),
      PublicKeyType: 'Rsa',
      ...changes,
    };
    const headers = {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'AmazonSSM.RegisterManagedInstance',
      'user-agent': 'aws-sdk-go/1.44.260 (go1.20; linux; amd64) amazon-ssm-agent/3.3.0.0',
      'accept-encoding': 'gzip',
    };
    return send(this.w, post(headers, JSON.stringify(body)));
  }

  async register(activation: Activation): Promise<this> {
    const { status, body } = await this.tryRegister(activation);
    if (status !== 200) throw new Error(JSON.stringify(body));
    this.id = body.InstanceId as string;
    return this;
  }

  /** Any operation, signed with the machine's key. */
  async signed(operation: string, input: object, changes: Partial<NodeRequest> = {}): Promise<Answer> {
    const body = JSON.stringify(input);
    const request = { id: this.id, operation, body, key: this.key, now: this.w.clock.now(), ...changes };
    return send(this.w, post(nodeHeaders(request), body));
  }

  async tryRoleToken(changes: Partial<NodeRequest> = {}): Promise<Answer> {
    return this.signed('RequestManagedInstanceRoleToken', { Fingerprint: this.fingerprint }, changes);
  }

  async roleToken(): Promise<RoleToken> {
    const { status, body } = await this.tryRoleToken();
    if (status !== 200) throw new Error(JSON.stringify(body));
    const { AccessKeyId, SecretAccessKey, SessionToken } = body as Record<string, string>;
    return {
      credentials: {
        accessKeyId: AccessKeyId!,
        secretAccessKey: SecretAccessKey!,
        sessionToken: SessionToken!,
      },
      expires: (body.TokenExpirationDate as number) * 1000,
      updateKeyPair: body.UpdateKeyPair as boolean,
    };
  }

  /** The second ping of the agent, the full one. */
  async ping(credentials: Credentials, changes: object = {}): Promise<Answer> {
    return this.w.call(
      'UpdateInstanceInformation',
      {
        AgentName: 'amazon-ssm-agent',
        AgentStatus: 'Active',
        AgentVersion: '3.3.0.0',
        AvailabilityZone: '',
        AvailabilityZoneId: '',
        ComputerName: 'web-1.example',
        IPAddress: '10.0.0.7',
        InstanceId: this.id,
        PlatformName: 'Debian GNU/Linux',
        PlatformType: 'Linux',
        PlatformVersion: '12',
        SSMConnectionChannel: 'ssmmessages',
        ...changes,
      },
      credentials,
    );
  }
}

export interface RoleToken {
  readonly credentials: Credentials;
  readonly expires: number;
  readonly updateKeyPair: boolean;
}

/** A call to `ec2messages`. */
export async function messagesRequest(
  w: World,
  operation: string,
  input: object,
  credentials: Credentials,
  { service = 'ec2messages', signal }: { readonly service?: string; readonly signal?: AbortSignal } = {},
): Promise<Request> {
  const url = new URL('/', ENDPOINT);
  const body = new TextEncoder().encode(JSON.stringify(input));
  const headers = await signRequest(
    {
      method: 'POST',
      url,
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': `EC2WindowsMessageDeliveryService.${operation}`,
      },
      body,
    },
    { credentials, region: REGION, service, now: w.clock.now() },
  );
  return new Request(url, { method: 'POST', headers, body, ...(signal && { signal }) });
}
