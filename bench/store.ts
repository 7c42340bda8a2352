import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DurableStoreOptions, durableStore } from 'hawser/node';
import { memoryStore, SessionManagerService, type Store } from 'hawser/service';
import { signRequest } from '../src/crypto/index.ts';
import { contest, type FigureSource } from './measure.ts';

const region = 'eu-central-1';
const accountId = '111122223333';
const target = 'mi-0123456789abcdef0';
const user = { accessKeyId: 'AKIABENCHUSER', secretAccessKey: 'bench-user' };
const principal = { arn: `arn:aws:iam::${accountId}:user/bench`, accountId, userId: 'AIDABENCH' };

const CALLS = 500;
/** Calls under way at one time. */
const CALLERS = 50;

export const storeFigures: FigureSource[] = [
  startSession('start-session-durable', {}),
  startSession('start-session-unflushed', { flush: false }),
];

/** StartSession through the whole service but for the network, in calls per second. */
function startSession(name: string, options: DurableStoreOptions): FigureSource {
  return {
    name,
    measure: () =>
      contest({
        name,
        unit: 'calls/s',
        beside: 'the same with memoryStore',
        turns: 5,
        async ours() {
          const directory = await mkdtemp(join(tmpdir(), 'hawser-bench-'));
          const store = await durableStore(join(directory, 'store'), options);
          const calls = await callsPerSecond(store);
          await store.close();
          await rm(directory, { recursive: true });
          return calls;
        },
        yardstick: () => callsPerSecond(memoryStore()),
      }),
  };
}

async function callsPerSecond(store: Store): Promise<number> {
  const service = new SessionManagerService({
    region,
    accountId,
    credentials: (id) => (id === user.accessKeyId ? { ...user, principal } : undefined),
    store,
  });
  await store.nodes.create(target, { id: target, tags: {}, channel: 'open' });
  const requests = await Promise.all(Array.from({ length: CALLS }, signedStart));
  const start = performance.now();
  await Promise.all(
    Array.from({ length: CALLERS }, async () => {
      for (let request = requests.pop(); request; request = requests.pop()) {
        const { status } = await service.fetch(request);
        if (status !== 200) throw new Error(`StartSession was answered ${status}.`);
      }
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  await service.close();
  return CALLS / seconds;
}

async function signedStart(): Promise<Request> {
  const url = new URL('http://127.0.0.1/');
  const body = new TextEncoder().encode(JSON.stringify({ Target: target }));
  const headers = await signRequest(
    {
      method: 'POST',
      url,
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AmazonSSM.StartSession' },
      body,
    },
    { credentials: user, region, service: 'ssm', now: Date.now() },
  );
  return new Request(url, { method: 'POST', headers, body });
}
