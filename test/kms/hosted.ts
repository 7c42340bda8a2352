import type { LocalKeyService } from 'hawser/kms';
import { serve } from 'hawser/node';
import { SessionManagerService, type SessionManagerServiceOptions } from 'hawser/service';
import { onTestFinished } from 'vitest';
import { ACCOUNT, JANE, jane, REGION } from './world.ts';

/** A service that hosts keys, and knows jane. */
export function hosting(
  keys: LocalKeyService,
  options: Partial<SessionManagerServiceOptions> = {},
): SessionManagerService {
  const service = new SessionManagerService({
    region: REGION,
    accountId: ACCOUNT,
    credentials: (id) => (id === JANE.accessKeyId ? { ...JANE, principal: jane } : undefined),
    keys,
    ...options,
  });
  onTestFinished(() => service.close());
  return service;
}

/** The same on the loopback interface. @returns its URL */
export async function hostingAt(keys: LocalKeyService): Promise<string> {
  const server = await serve(hosting(keys));
  onTestFinished(() => server.close());
  return server.url;
}
