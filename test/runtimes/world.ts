import { SessionClient } from 'hawser';
import { Agent, virtualShell } from 'hawser/agent';
import { type KeyService, LocalKeyService } from 'hawser/kms';
import { serve, type WebService } from 'hawser/node';
import { SessionManagerService } from 'hawser/service';
import { deferred } from '../../src/base/deferred.ts';
import { type Cut, cuttable } from './cuttable.ts';
import { COUNT } from './smoke.ts';

const region = 'eu-central-1';
const accountId = '111122223333';
const target = 'mi-0123456789abcdef0';
const user = { accessKeyId: 'AKIAUSER', secretAccessKey: 'secret-of-the-user' };
const node = { accessKeyId: 'AKIANODE', secretAccessKey: 'secret-of-the-node' };
const principal = { arn: `arn:aws:iam::${accountId}:user/smoke`, accountId, userId: 'AIDASMOKE' };

export interface World {
  /** Of the service, and of what is beside it: the page, the broker, the place for reports. */
  readonly url: string;
  /** What the program posted. */
  readonly report: Promise<unknown>;
  close(): Promise<void>;
}

/**
 * A service, a node and the keys of both ends, in this process. The program under test reaches them through a port that cuts its
 * connection in the middle of `count`.
 *
 * @param script served to browsers as `/smoke.js`
 */
export async function world(cuts: readonly Cut[], script = ''): Promise<World> {
  const keys = new LocalKeyService({ region, accountId });
  const { arn: kmsKeyId } = await keys.createKey();
  const keyService = keys.as(principal);
  const service = new SessionManagerService({
    region,
    accountId,
    documents: {
      Encrypted: { schemaVersion: '1.0', sessionType: 'Standard_Stream', inputs: { kmsKeyId } },
    },
    credentials: (id) =>
      [
        { ...user, principal },
        { ...node, principal, targetId: target },
      ].find(({ accessKeyId }) => accessKeyId === id),
  });
  await service.registerTarget({ id: target });
  const report = deferred<unknown>();
  const server = await serve(besides(service, { script, report: report.resolve, keyService }));
  const line = await cuttable(Number(new URL(server.url).port));
  const url = `http://127.0.0.1:${line.port}`;
  const toCut = [...cuts];
  const shell = virtualShell({
    commands: {
      greet: ([name], io) => io.write(`hello ${name}\n`),
      count: async (_, io) => {
        for (let i = 0; i < COUNT; i++) {
          await io.write(`${i}\n`);
          if (i === COUNT / 2) line.cut(toCut.shift()!);
        }
      },
    },
  });
  const agent = new Agent({
    instanceId: target,
    region,
    credentials: node,
    endpoint: server.url,
    keyService,
    handlers: { Standard_Stream: shell },
  });
  await agent.start();
  return {
    url,
    report: report.promise,
    async close() {
      await agent.stop();
      await service.close();
      await line.close();
      await server.close();
    },
  };
}

interface Besides {
  readonly script: string;
  readonly report: (report: unknown) => void;
  readonly keyService: KeyService;
}

/** The service, and on the same port a page with its script, a broker, and a place for the report. */
function besides(service: SessionManagerService, { script, report, keyService }: Besides): WebService {
  return {
    upgrade: (request) => service.upgrade(request),
    async fetch(request) {
      const { origin, pathname } = new URL(request.url);
      const [, place, call, sessionId = ''] = pathname.split('/');
      switch (place) {
        case 'broker': {
          const client = new SessionClient({ region, credentials: user, endpoint: origin });
          return Response.json((await CALLS[call!]!(client, sessionId)) ?? null);
        }
        case 'data-keys': {
          const { keyId, context } = await request.json();
          const { plaintext, ciphertext } = await keyService.generateDataKey(keyId, context);
          const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
          return Response.json({ plaintext: base64(plaintext), ciphertext: base64(ciphertext) });
        }
        case 'report':
          report(await request.json());
          return new Response();
        case 'page':
          return content('text/html', PAGES[call!]!);
        case 'smoke.js':
          return content('text/javascript', script);
        default:
          return service.fetch(request);
      }
    },
  };
}

const CALLS: Record<string, (client: SessionClient, sessionId: string) => Promise<unknown>> = {
  start: (client) => client.startAccess({ target }),
  resume: (client, sessionId) => client.resumeAccess(sessionId),
  terminate: (client, sessionId) => client.terminateSession(sessionId),
};

const PAGES: Record<string, string> = {
  window: '<!doctype html><script type="module" src="/smoke.js"></script>',
  worker: '<!doctype html><script>new Worker("/smoke.js", { type: "module" })</script>',
};

function content(type: string, text: string): Response {
  return new Response(text, { headers: { 'content-type': `${type}; charset=utf-8` } });
}
