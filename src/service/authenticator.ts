import { SignatureVerifier } from '../crypto/index.ts';
import type { ServiceContext } from './context.ts';
import type { CallerRecord, SessionManagerServiceOptions } from './options.ts';

/** The service names that requests are signed for (CONTROL-PLANE.md section 1.1). */
export type SignedService = 'ssm' | 'ssmmessages';

/** Finds out who sent a request, by its signature. */
export class Authenticator {
  readonly #context: Pick<ServiceContext, 'region' | 'clock'>;
  readonly #verifier: SignatureVerifier<CallerRecord>;

  constructor(
    credentials: SessionManagerServiceOptions['credentials'],
    context: Pick<ServiceContext, 'region' | 'clock' | 'digest'>,
  ) {
    this.#context = context;
    this.#verifier = new SignatureVerifier({ lookup: credentials, digest: context.digest });
  }

  /** @throws {SignatureError} */
  authenticate(request: Request, body: Uint8Array, service: SignedService): Promise<CallerRecord> {
    const { method, url, headers } = request;
    const { region, clock } = this.#context;
    return this.#verifier.verify(
      { method, url: new URL(url), headers, body },
      { region, service, now: clock.now() },
    );
  }
}
