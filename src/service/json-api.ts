import { fromUtf8Strict } from '../base/encoding.ts';
import { isSigned } from '../crypto/index.ts';
import { anonymous } from '../policy/index.ts';
import { ApiError, toApiError } from './api-error.ts';
import type { Authenticator } from './authenticator.ts';
import { type Credentialed, credentialed } from './caller.ts';
import type { ConnectionInfo } from './connection.ts';
import type { ServiceContext } from './context.ts';
import type { ApiName, Operation } from './operations/operation.ts';
import { readBody } from './read-body.ts';
import { readInput } from './shape.ts';

/** Before the name of the operation in `X-Amz-Target`. The second is of all platforms, whatever it says. */
const TARGET_PREFIXES: readonly (readonly [prefix: string, api: ApiName])[] = [
  ['AmazonSSM.', 'ssm'],
  ['EC2WindowsMessageDeliveryService.', 'ec2messages'],
  ['TrentService.', 'kms'],
];

/** The `ssm` API, what agents need of `ec2messages`, and what sessions need of `kms`: AWS JSON 1.1 (CONTROL-PLANE.md section 1). */
export class JsonApi {
  readonly #context: ServiceContext;
  readonly #authenticator: Authenticator;
  readonly #operations: ReadonlyMap<string, Operation>;

  constructor(context: ServiceContext, authenticator: Authenticator, operations: readonly Operation[]) {
    this.#context = context;
    this.#authenticator = authenticator;
    this.#operations = new Map(
      operations.map((operation) => [keyOf(operation.api ?? 'ssm', operation.name), operation]),
    );
  }

  /** Never throws: every request has an answer. */
  async handle(request: Request, connection: ConnectionInfo): Promise<Response> {
    const { random, clock, emit } = this.#context;
    const requestId = random.uuid();
    const { api, name } = targetOf(request);
    const operation = this.#operations.get(keyOf(api, name));
    let caller: string | undefined;
    const tell = (errorCode?: string) =>
      emit({
        type: 'call',
        time: clock.now(),
        requestId,
        ...(operation && { operation: operation.name }),
        ...(caller !== undefined && { caller }),
        ...(errorCode !== undefined && { errorCode }),
      });
    try {
      const body = await readBody(request, this.#context.limits.requestBody);
      const signer = await this.#authenticate(request, body, api, operation);
      if (signer !== NOBODY) caller = signer.principal.arn;
      if (!operation) throw new ApiError('UnknownOperationException', '');
      const input = readInput(operation.input, parseJson(body));
      const output = await operation.handle(input, {
        ...signer,
        connection,
        url: new URL(request.url),
        signal: request.signal,
      });
      tell();
      return answer(200, requestId, output);
    } catch (error) {
      const { awsCode, message, status } = toApiError(error, this.#context);
      tell(awsCode);
      return errorAnswer(awsCode, message, status, requestId);
    }
  }

  /** Nobody, where that is good enough. */
  async #authenticate(
    request: Request,
    body: Uint8Array,
    api: ApiName,
    operation: Operation | undefined,
  ): Promise<Credentialed> {
    const { signedWith = 'credentials' } = operation ?? {};
    // A signature that is there must be good, whether it was needed or not.
    if (signedWith === 'nothing' && !isSigned({ headers: request.headers, url: new URL(request.url) })) {
      return NOBODY;
    }
    if (signedWith === 'nodeKey') return this.#authenticator.authenticateNode(request, body);
    return this.#authenticator.authenticate(request, body, api);
  }
}

/** Who an unsigned request is from. */
const NOBODY = credentialed(undefined, { principal: anonymous });

/** What is no operation of any API is none of `ssm`. */
function targetOf(request: Request): { readonly api: ApiName; readonly name: string } {
  const target = request.headers.get('x-amz-target') ?? '';
  for (const [prefix, api] of TARGET_PREFIXES) {
    if (target.startsWith(prefix)) return { api, name: target.slice(prefix.length) };
  }
  return { api: 'ssm', name: '' };
}

function keyOf(api: ApiName, name: string): string {
  return `${api}.${name}`;
}

/** For requests that do not come as far as {@link JsonApi}. */
export function errorAnswer(awsCode: string, message: string, status: number, requestId: string): Response {
  // Clients differ in where they look: for the code in header or body, for the text in either spelling.
  const texts = message === '' ? {} : { Message: message, message };
  return answer(status, requestId, { __type: awsCode, ...texts }, { 'x-amzn-errortype': awsCode });
}

function answer(
  status: number,
  requestId: string,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': requestId, ...headers },
  });
}

function parseJson(body: Uint8Array): unknown {
  if (body.length === 0) return {};
  try {
    return JSON.parse(fromUtf8Strict(body));
  } catch {
    throw new ApiError('SerializationException', 'The request body is not JSON.');
  }
}
