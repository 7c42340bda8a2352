/** The service is killed in the middle of everything and started again: nobody else notices, but for the wait. */
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Session, SessionClient } from 'hawser';
import { Agent, type AgentSession } from 'hawser/agent';
import { expect, onTestFinished, test } from 'vitest';
import { killed, program } from '../support/child.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { INSTANCE, NODE, REGION, USER } from './restart-names.ts';

const service = await program('test/node/restart-service.ts');

const SESSIONS = 50;
/** Bytes of each stream, in either direction. */
const LENGTH = 256 * 1024;
const CHUNK = 4096;
/** Parts of all bytes after which the service is killed. */
const KILLS = [0.2, 0.6];

test('50 sessions with transfers both ways go on after each kill -9, and every stream is whole', async () => {
  const directory = join(await temporaryDirectory(), 'store');
  let child = service.start(directory, '0');
  const endpoint = await said(child);
  const arrived = counter();
  /** What agents have received, by session. */
  const inputs = new Map<string, string>();
  const agent = new Agent({
    instanceId: INSTANCE,
    region: REGION,
    endpoint,
    credentials: NODE,
    handlers: {
      async Standard_Stream(session) {
        const write = (bytes: Uint8Array) => session.write(bytes);
        const sending = send(write, `out of ${session.sessionId}`);
        inputs.set(session.sessionId, await receive(session, arrived.add));
        await sending;
        return { exitCode: 7 };
      },
    },
  });
  await agent.start();
  onTestFinished(() => agent.stop());
  const client = new SessionClient({ region: REGION, credentials: USER, endpoint });
  const sessions = await Promise.all(
    Array.from({ length: SESSIONS }, () => client.startSession({ target: INSTANCE })),
  );
  const outputs = Promise.all(sessions.map((session) => output(session, arrived.add)));
  const sent = Promise.all(sessions.map(input));

  const total = 2 * SESSIONS * LENGTH;
  for (const part of KILLS) {
    await arrived.reached(part * total);
    await killed(child);
    child = service.start(directory, new URL(endpoint).port);
    expect(await said(child)).toBe(endpoint);
  }

  await sent;
  const hashes = await outputs;
  for (const [index, { sessionId, ended }] of sessions.entries()) {
    expect(await ended, `end of session ${index}`).toMatchObject({ reason: 'CommandExited', exitCode: 7 });
    expect(hashes[index], `output of session ${index}`).toBe(hashOf(`out of ${sessionId}`));
    expect(inputs.get(sessionId), `input of session ${index}`).toBe(hashOf(`into ${sessionId}`));
  }
  expect(arrived.count).toBe(total);
}, 120_000);

async function said(child: ChildProcess): Promise<string> {
  const ended = once(child, 'exit').then(([status]) => {
    throw new Error(`The service ended by itself: ${status}.`);
  });
  const [url] = await Promise.race([once(child, 'message'), ended]);
  ended.catch(() => {}); // it will be killed
  return url as string;
}

/** Bytes that have arrived anywhere. */
function counter() {
  let count = 0;
  let waiting: { readonly at: number; readonly resolve: () => void } | undefined;
  return {
    get count() {
      return count;
    },
    add(bytes: number) {
      count += bytes;
      if (waiting && count >= waiting.at) waiting.resolve();
    },
    reached: (at: number) =>
      new Promise<void>((resolve) => {
        if (count >= at) resolve();
        else waiting = { at, resolve };
      }),
  };
}

/** The stream of this name: the same bytes every time, and others for every other name. */
function* chunks(name: string): Generator<Uint8Array> {
  for (let sent = 0; sent < LENGTH; sent += CHUNK) {
    const seed = createHash('sha256').update(`${name} ${sent}`).digest();
    yield new Uint8Array(Buffer.concat(Array.from({ length: CHUNK / seed.length }, () => seed)));
  }
}

function hashOf(name: string): string {
  const hash = createHash('sha256');
  for (const chunk of chunks(name)) hash.update(chunk);
  return hash.digest('hex');
}

async function send(write: (bytes: Uint8Array) => Promise<unknown>, name: string): Promise<void> {
  for (const chunk of chunks(name)) await write(chunk);
}

async function receive(
  { input }: Pick<AgentSession, 'input'>,
  add: (bytes: number) => void,
): Promise<string> {
  const hash = createHash('sha256');
  let length = 0;
  for await (const bytes of input) {
    hash.update(bytes);
    add(bytes.length);
    length += bytes.length;
    if (length >= LENGTH) break;
  }
  return hash.digest('hex');
}

async function output({ stdout }: Session, add: (bytes: number) => void): Promise<string> {
  const hash = createHash('sha256');
  for await (const bytes of stdout) {
    hash.update(bytes);
    add(bytes.length);
  }
  return hash.digest('hex');
}

async function input({ stdin, sessionId }: Session): Promise<void> {
  const writer = stdin.getWriter();
  await send((bytes) => writer.write(bytes), `into ${sessionId}`);
}
