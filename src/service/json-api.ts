import { fromUtf8Strict } from '../base/encoding.ts';
import { ApiError, toApiError } from './api-error.ts';
import type { Authenticator } from './authenticator.ts';
import type { ServiceContext } from './context.ts';
import type { Operation } from './operations/operation.ts';
import { readBody } from './read-body.ts';
import { readInput } from './shape.ts';

/** Before the name of the operation in `X-Amz-Target`. */
const TARGET_PREFIX = 'AmazonSSM.';

/** The `ssm` API: AWS JSON 1.1 (CONTROL-PLANE.md section 1). */
export class JsonApi {
  readonly #context: ServiceContext;
  readonly #authenticator: Authenticator;
  readonly #operations: ReadonlyMap<string, Operation>;

  constructor(context: ServiceContext, authenticator: Authenticator, operations: readonly Operation[]) {
    this.#context = context;
    this.#authenticator = authenticator;
    this.#operations = new Map(operations.map((operation) => [operation.name, operation]));
  }

  /** Never throws: every request has an answer. */
  async handle(request: Request): Promise<Response> {
    const { random, clock, emit } = this.#context;
    const requestId = random.uuid();
    const target = request.headers.get('x-amz-target') ?? '';
    const operation = target.startsWith(TARGET_PREFIX)
      ? this.#operations.get(target.slice(TARGET_PREFIX.length))
      : undefined;
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
      const { principal } = await this.#authenticator.authenticate(request, body, 'ssm');
      caller = principal.arn;
      if (!operation) throw new ApiError('UnknownOperationException', '');
      const input = readInput(operation.input, parseJson(body));
      const output = await operation.handle(input, { principal, url: new URL(request.url) });
      tell();
      return answer(200, requestId, output);
    } catch (error) {
      const { awsCode, message, status } = toApiError(error, this.#context);
      tell(awsCode);
      return errorAnswer(awsCode, message, status, requestId);
    }
  }
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
