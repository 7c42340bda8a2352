import { createPrivateKey, type KeyObject } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { NodeIdentity } from '../agent/identity.ts';
import type { NodeEndpointOptions } from '../agent/node-endpoint.ts';
import type { NodeKey } from '../crypto/sigv4/node-signature.ts';
import { NodeError } from './error.ts';
import { lockDirectory, lockHolder } from './identity-lock.ts';
import type { Unlock } from './lock-file.ts';
import { generateNodeKey, nodeKey } from './node-key.ts';
import { ensurePrivateDirectory, readPrivateFile, type Secret, writePrivateFile } from './private-files.ts';

/** What is known of a registered node, keys apart. */
export interface IdentityDescription {
  readonly instanceId: string;
  /** A UUID that stands for the machine. */
  readonly fingerprint: string;
  /** Where it is registered, for the agent and its credentials. */
  readonly location: NodeLocation;
  /** A key rotation has not come to its end. */
  readonly keyIsPending: boolean;
  /** The process that uses the identity. */
  readonly usedBy: number | undefined;
}

export type NodeLocation = Omit<NodeEndpointOptions, 'endpoint'> & {
  readonly endpoint?: string | { readonly ssm?: string; readonly ssmmessages?: string };
};

/** An identity in a directory, which nobody else uses until it is closed. */
export interface Identity extends NodeIdentity {
  readonly location: NodeLocation;
  /** Gives the directory free. */
  close(): Promise<void>;
}

/** `/var/lib/hawser-agent` for root, else a directory of the user's. */
export function defaultIdentityDirectory(): string {
  const { ProgramData, XDG_STATE_HOME } = process.env;
  if (process.platform === 'win32') return join(ProgramData ?? homedir(), NAME);
  if (process.getuid?.() === 0) return join('/var/lib', NAME);
  return join(XDG_STATE_HOME || join(homedir(), '.local/state'), NAME);
}

/**
 * Takes up the identity in a directory.
 *
 * @throws {NodeError} `ERR_IDENTITY_MISSING` when the machine is not registered there, `ERR_IDENTITY_LOCKED`,
 * `ERR_IDENTITY_MODE` when others can read it, `ERR_IDENTITY_UNREADABLE`
 */
export async function openIdentity(directory = defaultIdentityDirectory()): Promise<Identity> {
  await load(directory); // says what is missing before anything is written
  const unlock = await lockDirectory(directory);
  try {
    return new StoredIdentity(directory, await load(directory), unlock);
  } catch (error) {
    await unlock();
    throw error;
  }
}

/** Looks at an identity without taking it up. @throws {NodeError} as {@link openIdentity}, but for `_LOCKED` */
export async function describeIdentity(directory = defaultIdentityDirectory()): Promise<IdentityDescription> {
  const { instanceId, fingerprint, location, pendingKey } = await load(directory);
  const usedBy = await lockHolder(directory);
  return { instanceId, fingerprint, location, keyIsPending: pendingKey !== undefined, usedBy };
}

/**
 * Makes an identity: `register` is given what to register with, and answers the id of the node.
 *
 * @param force whether an identity that is there is replaced, and its node lost
 * @throws {NodeError} `ERR_IDENTITY_EXISTS`, `ERR_IDENTITY_LOCKED`, `ERR_IDENTITY_MODE`
 * @throws what `register` throws; then nothing has changed
 */
export async function createIdentity(
  directory: string,
  { location, force, fingerprint }: { location: NodeLocation; force: boolean; fingerprint: string },
  register: (key: NodeKey, fingerprint: string) => Promise<string>,
): Promise<string> {
  await ensurePrivateDirectory(directory, SECRET);
  const unlock = await lockDirectory(directory);
  try {
    const text = await readPrivateFile(join(directory, FILE), SECRET);
    if (text !== undefined && !force) throw exists(directory, text);
    const key = await generateNodeKey();
    const instanceId = await register(nodeKey(key), fingerprint);
    await save(directory, { instanceId, fingerprint, location, key, pendingKey: undefined });
    return instanceId;
  } finally {
    await unlock();
  }
}

class StoredIdentity implements Identity {
  readonly #directory: string;
  readonly #unlock: Unlock;
  #record: IdentityRecord;
  #key: NodeKey;
  #pendingKey: NodeKey | undefined;

  constructor(directory: string, record: IdentityRecord, unlock: Unlock) {
    this.#directory = directory;
    this.#unlock = unlock;
    this.#record = record;
    this.#key = nodeKey(record.key);
    this.#pendingKey = record.pendingKey && nodeKey(record.pendingKey);
  }

  get instanceId(): string {
    return this.#record.instanceId;
  }

  get fingerprint(): string {
    return this.#record.fingerprint;
  }

  get location(): NodeLocation {
    return this.#record.location;
  }

  get key(): NodeKey {
    return this.#key;
  }

  get pendingKey(): NodeKey | undefined {
    return this.#pendingKey;
  }

  async createPendingKey(): Promise<NodeKey> {
    const pendingKey = await generateNodeKey();
    await this.#save({ ...this.#record, pendingKey });
    return this.#pendingKey!;
  }

  async promotePendingKey(): Promise<void> {
    const { pendingKey } = this.#record;
    if (pendingKey) await this.#save({ ...this.#record, key: pendingKey, pendingKey: undefined });
  }

  close(): Promise<void> {
    return this.#unlock();
  }

  async #save(record: IdentityRecord): Promise<void> {
    await save(this.#directory, record);
    this.#record = record;
    this.#key = nodeKey(record.key);
    this.#pendingKey = record.pendingKey && nodeKey(record.pendingKey);
  }
}

/** All that an identity is, in one file, so that it changes in one step. */
interface IdentityRecord {
  readonly instanceId: string;
  readonly fingerprint: string;
  readonly location: NodeLocation;
  readonly key: KeyObject;
  readonly pendingKey: KeyObject | undefined;
}

const NAME = 'hawser-agent';
const FILE = 'identity.json';
const SECRET: Secret = {
  code: 'ERR_IDENTITY_MODE',
  danger: 'whoever reads it can be this node',
  directoryMask: 0o077,
};

async function load(directory: string): Promise<IdentityRecord> {
  const path = join(directory, FILE);
  const text = await readPrivateFile(path, SECRET);
  if (text === undefined) {
    throw new NodeError(
      'ERR_IDENTITY_MISSING',
      `There is no identity of a node in ${directory}. Register this machine first.`,
    );
  }
  const record = parse(text);
  if (record) return record;
  throw new NodeError(
    'ERR_IDENTITY_UNREADABLE',
    `${path} cannot be read as the identity of a node. Restore it, or register this machine anew in its place.`,
  );
}

async function save(directory: string, record: IdentityRecord): Promise<void> {
  const { instanceId, fingerprint, location, key, pendingKey } = record;
  const json = {
    instanceId,
    fingerprint,
    location,
    privateKey: pem(key),
    ...(pendingKey && { pendingPrivateKey: pem(pendingKey) }),
  };
  await writePrivateFile(join(directory, FILE), `${JSON.stringify(json, undefined, 2)}\n`);
}

/** `undefined` for what it cannot be. No error of a parser is kept: they quote what they read. */
function parse(text: string): IdentityRecord | undefined {
  try {
    const { instanceId, fingerprint, location, privateKey, pendingPrivateKey } = JSON.parse(text);
    if (![instanceId, fingerprint, location?.region, privateKey].every(isText)) return undefined;
    const key = createPrivateKey(privateKey);
    const pendingKey = pendingPrivateKey === undefined ? undefined : createPrivateKey(pendingPrivateKey);
    return { instanceId, fingerprint, location, key, pendingKey };
  } catch {
    return undefined;
  }
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function pem(key: KeyObject): string | Buffer {
  return key.export({ type: 'pkcs8', format: 'pem' });
}

function exists(directory: string, text: string): NodeError {
  const node = parse(text)?.instanceId ?? 'something that cannot be read';
  return new NodeError(
    'ERR_IDENTITY_EXISTS',
    `${directory} holds an identity already: ${node}. Choose another directory, or force its replacement; the node is then lost for good.`,
  );
}
