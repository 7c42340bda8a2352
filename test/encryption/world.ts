import { SessionClient, type StartSessionOptions } from 'hawser';
import { Agent, type AgentOptions, type SessionHandler, type SessionOutcome } from 'hawser/agent';
import { type KeyPolicy, type KeyService, type LocalKey, LocalKeyService } from 'hawser/kms';
import { SessionManagerService } from 'hawser/service';
import { memoryTransport, seededRandom, VirtualClock } from 'hawser/testing';
import { slowAesGcm } from './slow-ciphers.ts';
import { type Tap, type TapOptions, tap } from './tap.ts';

const REGION = 'eu-central-1';
const ACCOUNT = '111122223333';
const ENDPOINT = 'http://service.localhost';
export const INSTANCE_ID = 'mi-0123456789abcdef0';

export const jane = principal('jane');
export const node = principal('node');
const USER = { accessKeyId: 'AKIAUSER', secretAccessKey: 'secret-of-the-user' };
const NODE = { accessKeyId: 'AKIANODE', secretAccessKey: 'secret-of-the-node' };

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
}

export interface Keys {
  readonly local: LocalKeyService;
  readonly key: LocalKey;
}

export interface EncryptedWorld extends Keys {
  readonly clock: VirtualClock;
  readonly tap: Tap;
  readonly client: SessionClient;
  readonly agent: Agent;
  /** How each session ended at the agent. */
  readonly outcomes: readonly SessionOutcome[];
  start(options?: Partial<StartSessionOptions>): ReturnType<SessionClient['startSession']>;
  /** Cuts the connections of both ends. */
  cut(): void;
}

/** Client, service and agent with keys of their own, one virtual clock, and a tap in the service. */
export async function encryptedWorld(options: EncryptedWorldOptions): Promise<EncryptedWorld> {
  const { handlers, clientKeys, agentKeys, keyPolicy, encrypted = true, cipherDelay = 0 } = options;
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
  });
  await service.registerTarget({ id: INSTANCE_ID });
  const tapped = tap(service, options);
  const transports = [1, 2].map(() => memoryTransport(tapped.service, { clock, latency: 1 }));
  const platforms = transports.map((transport, i) => ({
    clock,
    random: seededRandom(i + 2),
    transport,
    ...(cipherDelay > 0 && { aesGcm: slowAesGcm(clock, seededRandom(i + 4), cipherDelay) }),
  }));
  const forClient = local.as(jane);
  const forAgent = local.as(node);
  const client = new SessionClient({
    region: REGION,
    endpoint: ENDPOINT,
    credentials: USER,
    keyService: clientKeys ? clientKeys(forClient, keys) : forClient,
    platform: platforms[0]!,
  });
  const agentKeyService = agentKeys ? agentKeys(forAgent, keys) : forAgent;
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
    tap: tapped,
    client,
    agent,
    outcomes,
    ...keys,
    start: (options) => clock.runUntil(client.startSession({ target: INSTANCE_ID, ...options })),
    cut() {
      for (const { connections } of transports) for (const connection of connections) connection.cut();
    },
  };
}

function principal(name: string) {
  return { arn: `arn:aws:iam::${ACCOUNT}:user/${name}`, accountId: ACCOUNT, userId: `AIDA${name}` };
}
