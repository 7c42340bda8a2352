import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { type Session, SessionClient, type StartSessionOptions } from 'hawser';
import { Agent, type SessionHandler } from 'hawser/agent';
import {
  type CommandOptions,
  interactiveCommands,
  nonInteractiveCommands,
  type Server,
  serve,
} from 'hawser/node';
import { type SessionDocument, SessionManagerService } from 'hawser/service';
import { onTestFinished } from 'vitest';

const region = 'eu-central-1';
const accountId = '111122223333';
export const INSTANCE_ID = 'mi-0123456789abcdef0';
export const DOCUMENT_NAME = 'Test-Session';
const USER = { accessKeyId: 'AKIAUSER', secretAccessKey: 'secret-of-the-user' };
const NODE = { accessKeyId: 'AKIANODE', secretAccessKey: 'secret-of-the-node' };
const principal = (name: string) => ({
  arn: `arn:aws:iam::${accountId}:user/${name}`,
  accountId,
  userId: name,
});

/** Service, agent and client over the loopback interface. */
export interface Node {
  readonly service: SessionManagerService;
  readonly server: Server;
  readonly agent: Agent;
  readonly client: SessionClient;
}

export interface World extends Node {
  readonly session: Session;
}

/** A node with these handlers. Ends with the test. */
export async function node(
  handlers: Readonly<Record<string, SessionHandler>>,
  documents: Readonly<Record<string, SessionDocument>>,
): Promise<Node> {
  const service = new SessionManagerService({
    region,
    accountId,
    credentials: (id) =>
      [
        { ...USER, principal: principal('tester') },
        { ...NODE, principal: principal('node'), targetId: INSTANCE_ID },
      ].find(({ accessKeyId }) => accessKeyId === id),
    documents,
  });
  await service.registerTarget({ id: INSTANCE_ID });
  const server = await serve(service);
  const endpoint = server.url;
  const agent = new Agent({ instanceId: INSTANCE_ID, region, endpoint, credentials: NODE, handlers });
  await agent.start();
  onTestFinished(async () => {
    await agent.stop();
    await service.close();
    await server.close();
  });
  return { service, server, agent, client: new SessionClient({ region, endpoint, credentials: USER }) };
}

/** A node and a session on it. */
export async function world(
  handler: SessionHandler,
  inputs: SessionDocument['inputs'] = {},
  content: Partial<SessionDocument> = {},
  options: Partial<StartSessionOptions> = {},
): Promise<World> {
  const document: SessionDocument = {
    schemaVersion: '1.0',
    sessionType: 'Standard_Stream',
    inputs,
    ...content,
  };
  const made = await node({ [document.sessionType]: handler }, { [DOCUMENT_NAME]: document });
  const session = await made.client.startSession({
    target: INSTANCE_ID,
    documentName: DOCUMENT_NAME,
    ...options,
  });
  return { ...made, session };
}

/** A node that runs commands. */
export function commandNode(options: CommandOptions = {}): Promise<Node> {
  return node(
    {
      InteractiveCommands: interactiveCommands(options),
      NonInteractiveCommands: nonInteractiveCommands(options),
    },
    {},
  );
}

/** What a stream has been given, and a way to wait for some of it. */
export class Collector extends Writable {
  readonly #parts: Buffer[] = [];
  #looked = 0;

  get bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }

  get text(): string {
    return this.bytes.toString();
  }

  /** Waits until `text` has come since the last look. */
  async until(text: string): Promise<string> {
    for (;;) {
      const at = this.text.indexOf(text, this.#looked);
      if (at >= 0) {
        const shown = this.text.slice(this.#looked, at + text.length);
        this.#looked = at + text.length;
        return shown;
      }
      await once(this, 'more');
    }
  }

  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.#parts.push(Buffer.from(chunk));
    this.emit('more');
    done();
  }
}

/** Whether a process runs; a zombie that waits for its parent does not. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat[stat.lastIndexOf(')') + 2] !== 'Z';
  } catch {
    return false;
  }
}
