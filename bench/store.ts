import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DurableStoreOptions, durableStore, iamDirectoryFile } from 'hawser/node';
import { allowAll } from 'hawser/policy';
import {
  type IamDocument,
  memoryStore,
  SessionManagerService,
  type SessionManagerServiceOptions,
  type Store,
  type UserDocument,
} from 'hawser/service';
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
  startWithPolicies('start-session-policies', 'allowAll with memoryStore', () => ({ store: memoryStore() })),
  startWithPolicies('start-session-policies-durable', 'allowAll with memoryStore', durable),
];

type Kept = { readonly store: Store; close?(): Promise<void> };

/** The same with a directory file of a thousand users, and the policies of an end user. */
function startWithPolicies(name: string, beside: string, keep: () => Kept | Promise<Kept>): FigureSource {
  return {
    name,
    measure: () =>
      contest({
        name,
        unit: 'calls/s',
        beside,
        turns: 5,
        async ours() {
          const directory = await mkdtemp(join(tmpdir(), 'hawser-bench-'));
          const path = join(directory, 'iam.json');
          await writeFile(path, JSON.stringify(thousandUsers()), { mode: 0o600 });
          const iam = await iamDirectoryFile(path, { region, accountId });
          const kept = await keep();
          const calls = await callsPerSecond(kept.store, iam);
          await kept.close?.();
          iam.close();
          await rm(directory, { recursive: true });
          return calls;
        },
        yardstick: () => callsPerSecond(memoryStore(), { ...ONE_USER, authorize: allowAll }),
      }),
  };
}

async function durable(): Promise<Kept> {
  const directory = await mkdtemp(join(tmpdir(), 'hawser-bench-'));
  const store = await durableStore(join(directory, 'store'));
  return {
    store,
    async close() {
      await store.close();
      await rm(directory, { recursive: true });
    },
  };
}

function thousandUsers(): IamDocument {
  const allow = (Action: string | string[], Resource: string | string[], more: object = {}) => ({
    Effect: 'Allow',
    Action,
    Resource,
    ...more,
  });
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a policy variable
  const own = 'arn:aws:ssm:*:*:session/${aws:username}-*';
  const tagged = { Condition: { StringEquals: { 'ssm:resourceTag/team': ['web', 'data'] } } };
  const policies = {
    EndUser: {
      Version: '2012-10-17',
      Statement: [
        allow(
          'ssm:StartSession',
          [`arn:aws:ssm:*:${accountId}:managed-instance/*`, `arn:aws:ec2:*:${accountId}:instance/*`],
          tagged,
        ),
        allow('ssm:StartSession', [`arn:aws:ssm:*:${accountId}:document/SSM-SessionManagerRunShell`]),
        allow(['ssm:ResumeSession', 'ssm:TerminateSession', 'ssmmessages:OpenDataChannel'], own),
        allow(['ssm:DescribeSessions', 'ssm:DescribeInstanceInformation'], '*'),
        { ...allow('ssm:StartSession', 'arn:aws:ssm:*:*:document/AWS-StartSSHSession'), Effect: 'Deny' },
      ],
    },
  };
  const users: Record<string, UserDocument> = { bench: { groups: ['ops'], accessKeys: [user] } };
  for (let n = 0; n < 999; n++) {
    users[`user${n}`] = { groups: ['ops'], accessKeys: [{ ...user, accessKeyId: `AKIA${n}` }] };
  }
  return { policies, groups: { ops: { policies: ['EndUser'] } }, users };
}

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

type Who = Pick<SessionManagerServiceOptions, 'credentials' | 'authorize'>;

const ONE_USER: Who = {
  credentials: (id) => (id === user.accessKeyId ? { ...user, principal } : undefined),
};

async function callsPerSecond(store: Store, who: Who = ONE_USER): Promise<number> {
  const service = new SessionManagerService({
    region,
    accountId,
    ...who,
    store,
  });
  await store.nodes.create(target, { id: target, tags: { team: 'web' }, channel: 'open' });
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
