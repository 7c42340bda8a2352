import { SessionClient, type StartSessionOptions } from 'hawser';
import { Agent, type AgentOptions, type SessionHandler, type SessionOutcome } from 'hawser/agent';
import { type KeyPolicy, type KeyService, kmsKeyService, type LocalKey, LocalKeyService } from 'hawser/kms';
import { type ServiceEvent, SessionManagerService } from 'hawser/service';
import { memoryTransport, seededRandom, VirtualClock } from 'hawser/testing';
import type { RandomSource } from '../../src/base/random.ts';
import type { Secrets } from '../support/secrets.ts';
import { slowAesGcm } from './slow-ciphers.ts';
import { type Sender, type Tap, type TapOptions, tap } from './tap.ts';

const REGION = 'eu-central-1';
const ACCOUNT = '111122223333';
const ENDPOINT = 'http://service.localhost';
export const INSTANCE_ID = 'mi-0123456789abcdef0';

export const jane = principal('jane');
export const node = principal('node');
export const USER = {
  accessKeyId: 'AKIAUSER',
  secretAccessKey: 'secret-of-the-user',
  sessionToken: 'session-token-of-the-user',
};
export const NODE = {
  accessKeyId: 'AKIANODE',
  secretAccessKey: 'secret-of-the-node',
  sessionToken: 'session-token-of-the-node',
};

export interface EncryptedWorldOptions extends TapOptions {
  readonly handlers: Readonly<Record<string, SessionHandler>>;
  /** Default: those of the local key service, for each end its own. */
  readonly clientKeys?: (keys: KeyService, local: Keys) => KeyService | undefined;
  readonly agentKeys?: (keys: KeyService, local: Keys) => KeyService | undefined;
  /** Who may do what with the key. Default: everybody of the account. */
  readonly keyPolicy?: KeyPolicy;
  readonly agent?: Partial<AgentOptions>;
  /** Whether the session documents have a `kmsKeyId`. Default true. */
  readonly encrypted?: boolean;
  /** Milliseconds that encrypting and decrypting a payload may take. Default 0: the runtime's, which is synchronous. */
  readonly cipherDelay?: number;
  /** Whether the service hosts the key, and both ends call it as they would AWS KMS. Default false. */
  readonly hosted?: boolean;
  /** Learns every secret that comes up: keys, challenges, credentials. */
  readonly secrets?: Secrets;
  /** Of the service. */
  readonly onEvent?: (event: ServiceEvent) => void;
}

export interface Keys {
  readonly local: LocalKeyService;
  readonly key: LocalKey;
}

export interface EncryptedWorld extends Keys {
  readonly clock: VirtualClock;
  readonly service: SessionManagerService;
  readonly tap: Tap;
  readonly client: SessionClient;
  readonly agent: Agent;
  /** How each session ended at the agent. */
  readonly outcomes: readonly SessionOutcome[];
  start(options?: Partial<StartSessionOptions>): ReturnType<SessionClient['startSession']>;
  /** Cuts the connections of one end, or of both. */
  cut(who?: Sender): void;
}

/** Client, service and agent with keys of their own, one virtual clock, and a tap in the service. */
export async function encryptedWorld(options: EncryptedWorldOptions): Promise<EncryptedWorld> {
  const { handlers, clientKeys, agentKeys, keyPolicy, encrypted = true, cipherDelay = 0 } = options;
  const { secrets, onEvent, hosted = false } = options;
  const clock = new VirtualClock();
  const local = new LocalKeyService({
    region: REGION,
    accountId: ACCOUNT,
    platform: { clock, random: seededRandom(9) },
  });
  const key = await local.createKey({ aliases: ['alias/sessions'], ...(keyPolicy && { policy: keyPolicy }) });
  const keys = { local, key };
  const inputs = { kmsKeyId: encrypted ? key.arn : '' };
  const document = (sessionType: string, properties: object = {}) =>
    ({ schemaVersion: '1.0', sessionType, inputs, properties }) as const;
  const service = new SessionManagerService({
    region: REGION,
    accountId: ACCOUNT,
    credentials: (id) =>
      [
        { ...USER, principal: jane },
        { ...NODE, principal: node, targetId: INSTANCE_ID },
      ].find(({ accessKeyId }) => accessKeyId === id),
    documents: {
      'SSM-SessionManagerRunShell': document('Standard_Stream'),
      Command: document('NonInteractiveCommands', {
        linux: { commands: 'true', separateOutputStream: true },
      }),
      Port: document('Port', { portNumber: '80', type: 'LocalPortForwarding' }),
    },
    platform: { clock, random: seededRandom(1) },
    ...(onEvent && { onEvent }),
    ...(hosted && { keys: local }),
  });
  await service.registerTarget({ id: INSTANCE_ID });
  const tapped = tap(service, options);
  const transports = [1, 2].map(() => memoryTransport(tapped.service, { clock, latency: 1 }));
  const platforms = transports.map((transport, i) => ({
    clock,
    random: known(seededRandom(i + 2), secrets),
    transport,
    ...(cipherDelay > 0 && { aesGcm: slowAesGcm(clock, seededRandom(i + 4), cipherDelay) }),
  }));
  const called = [USER, NODE].map((credentials, i) =>
    kmsKeyService({ region: REGION, endpoint: ENDPOINT, credentials, platform: platforms[i]! }),
  );
  const [forClient, forAgent] = hosted ? called : [local.as(jane), local.as(node)];
  const client = new SessionClient({
    region: REGION,
    endpoint: ENDPOINT,
    credentials: USER,
    keyService: clientKeys
      ? clientKeys(overheard(forClient!, secrets), keys)
      : overheard(forClient!, secrets),
    platform: platforms[0]!,
  });
  const agentKeyService = agentKeys ? agentKeys(forAgent!, keys) : forAgent;
  const agent = new Agent({
    instanceId: INSTANCE_ID,
    region: REGION,
    endpoint: ENDPOINT,
    credentials: NODE,
    handlers,
    ...(agentKeyService && { keyService: agentKeyService }),
    platform: platforms[1]!,
    ...options.agent,
  });
  const outcomes: SessionOutcome[] = [];
  agent.on('sessionEnded', ({ outcome }) => outcomes.push(outcome));
  await clock.runUntil(agent.start());
  return {
    clock,
    service,
    tap: tapped,
    client,
    agent,
    outcomes,
    ...keys,
    start: (options) => clock.runUntil(client.startSession({ target: INSTANCE_ID, ...options })),
    cut(who) {
      transports.forEach(({ connections }, i) => {
        if (who !== (['agent', 'client'] as const)[i]) for (const connection of connections) connection.cut();
      });
    },
  };
}

/** The random challenge of the encryption context, and the encryption challenge, are drawn by the agent. */
function known(random: RandomSource, secrets: Secrets | undefined): RandomSource {
  const names: Readonly<Record<number, string>> = { 16: 'random challenge', 64: 'encryption challenge' };
  return {
    ...random,
    bytes(length) {
      const bytes = random.bytes(length);
      const name = names[length];
      if (name) secrets?.add(name, bytes);
      return bytes;
    },
  };
}

function overheard(keys: KeyService, secrets: Secrets | undefined): KeyService {
  return {
    ...keys,
    async generateDataKey(...call) {
      const dataKey = await keys.generateDataKey(...call);
      secrets?.add('data key', dataKey.plaintext);
      for (const at of [0, 32]) {
        secrets?.add('half of the data key', dataKey.plaintext.subarray(at, at + 32));
      }
      return dataKey;
    },
  };
}

function principal(name: string) {
  return { arn: `arn:aws:iam::${ACCOUNT}:user/${name}`, accountId: ACCOUNT, userId: `AIDA${name}` };
}
