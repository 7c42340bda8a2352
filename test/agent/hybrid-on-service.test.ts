import { SessionClient } from 'hawser';
import { Agent, registerManagedInstance, roleCredentials, virtualShell } from 'hawser/agent';
import { signRequest } from 'hawser/crypto';
import { memoryStore, type ServiceEvent, SessionManagerService } from 'hawser/service';
import { memoryTransport, seededRandom, VirtualClock } from 'hawser/testing';
import { expect, test } from 'vitest';
import { FINGERPRINT, KEYS, MemoryIdentity, REGION } from './scripted-service.ts';
import { Screen } from './world.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const HOURS = 30 * 24;

const ACCOUNT = '111122223333';
const USER = { accessKeyId: 'AKIAUSER', secretAccessKey: 'secret-of-the-user' };
const principal = { arn: `arn:aws:iam::${ACCOUNT}:user/tester`, accountId: ACCOUNT, userId: 'AIDATESTER' };
const endpoint = 'http://service.localhost';

function setUp() {
  const clock = new VirtualClock();
  const store = memoryStore();
  const events: ServiceEvent[] = [];
  const service = new SessionManagerService({
    region: REGION,
    accountId: ACCOUNT,
    credentials: (id) => (id === USER.accessKeyId ? { ...USER, principal } : undefined),
    timers: { nodeKey: 7 * DAY },
    platform: { clock, random: seededRandom(1) },
    store,
    onEvent: (event) => events.push(event),
  });
  /** The clock of the node's machine, which may be wrong. */
  const machineClock = {
    ahead: 0,
    now: () => clock.now() + machineClock.ahead,
    schedule: clock.schedule.bind(clock),
  };
  const transport = memoryTransport(service, { clock, latency: 5 });
  const where = {
    region: REGION,
    endpoint,
    platform: { clock: machineClock, random: seededRandom(2), transport },
  };
  const client = new SessionClient({
    region: REGION,
    endpoint,
    credentials: USER,
    platform: { clock, random: seededRandom(3), transport: memoryTransport(service, { clock, latency: 5 }) },
  });
  const call = async (operation: string, input: object): Promise<Record<string, unknown>> => {
    const url = new URL(endpoint);
    const body = new TextEncoder().encode(JSON.stringify(input));
    const headers = await signRequest(
      {
        method: 'POST',
        url,
        headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `AmazonSSM.${operation}` },
        body,
      },
      { credentials: USER, region: REGION, service: 'ssm', now: clock.now() },
    );
    const answer = await clock.runUntil(service.fetch(new Request(url, { method: 'POST', headers, body })));
    expect(answer.status, operation).toBe(200);
    return answer.json();
  };
  const register = async () => {
    const { ActivationId, ActivationCode } = await call('CreateActivation', { IamRole: 'Fleet' });
    const id = registerManagedInstance({
      ...where,
      activationId: String(ActivationId),
      activationCode: String(ActivationCode),
      key: KEYS[0]!,
      fingerprint: FINGERPRINT,
    });
    return clock.runUntil(id);
  };
  return { clock, machineClock, store, events, service, transport, where, client, call, register };
}

/** An identity of whatever id the service gave. */
class RegisteredIdentity extends MemoryIdentity {
  override readonly instanceId: string;

  constructor(instanceId: string) {
    super();
    this.instanceId = instanceId;
  }
}

test('our agent is a hybrid node of our service for a month: keys and credentials change, connections break, clocks jump', async () => {
  const { clock, machineClock, store, events, service, transport, where, client, call, register } = setUp();
  const identity = new RegisteredIdentity(await register());
  const rotations: (Error | undefined)[] = [];
  const agent = new Agent({
    ...where,
    instanceId: identity.instanceId,
    credentials: roleCredentials({ ...where, identity, onKeyRotation: (error) => rotations.push(error) }),
    handlers: { Standard_Stream: virtualShell({ commands: { uname: 'Linux\n' } }) },
    machine: { platformType: 'MacOS', platformName: 'macOS', platformVersion: '15.1', computerName: 'mini' },
    updateInstanceInformation: true,
  });
  const failures: Error[] = [];
  agent.on('reportFailed', (error) => failures.push(error));
  agent.on('dropped', (error) => failures.push(error));
  await clock.runUntil(agent.start());

  const random = seededRandom(4);
  for (let hour = 0; hour < HOURS; hour += 6) {
    if (random.random() < 0.2) machineClock.ahead += (random.random() - 0.5) * 12 * HOUR;
    if (random.random() < 0.3) for (const connection of transport.connections) connection.cut();
    await clock.advance(6 * HOUR);
    expect(agent.connected, `hour ${hour}`).toBe(true);
    if (hour % 24 !== 0) continue;
    const session = await clock.runUntil(client.startSession({ target: identity.instanceId }));
    const screen = new Screen(session, clock);
    await screen.see('$ ');
    machineClock.ahead += (random.random() - 0.5) * 12 * HOUR;
    expect(await screen.type('uname\r', 'Linux\r\n')).toContain('Linux');
    await screen.type('exit 3\r', 'exit 3');
    expect((await screen.end()).exitCode).toBe(3);
  }

  const { InstanceInformationList } = await call('DescribeInstanceInformation', {});
  expect(InstanceInformationList).toMatchObject([
    {
      InstanceId: identity.instanceId,
      PingStatus: 'Online',
      PlatformType: 'MacOS',
      PlatformName: 'macOS',
      PlatformVersion: '15.1',
      ComputerName: 'mini',
      ResourceType: 'ManagedInstance',
    },
  ]);
  expect(failures).toEqual([]);
  expect(rotations).toEqual([undefined, undefined, undefined, undefined]);
  expect(identity.saved).toEqual({ current: 4, pending: undefined });
  expect(events.filter(({ type }) => type === 'roleToken').length).toBeLessThan(4 * HOURS);
  expect(await store.roleCredentials.list()).toSatisfy((list: unknown[]) => list.length < 10);

  await clock.runUntil(agent.drain(MINUTE));
  await clock.runUntil(service.close());
  await clock.advance(HOUR);
  expect(clock.pending).toBe(0);
  expect(transport.connections).toEqual([]);
}, 180_000);

test('a registration whose answer is lost is made again without using up the activation', async () => {
  const { clock, service, where, call } = setUp();
  const { ActivationId, ActivationCode } = await call('CreateActivation', { IamRole: 'Fleet' });
  let lost = 0;
  const losing = {
    fetch: async (request: Request) => {
      const answer = await service.fetch(request);
      if (lost++ === 0) throw new Error('reset');
      return answer;
    },
    upgrade: service.upgrade.bind(service),
  };
  const id = await clock.runUntil(
    registerManagedInstance({
      ...where,
      platform: { ...where.platform, transport: memoryTransport(losing, { clock }) },
      activationId: String(ActivationId),
      activationCode: String(ActivationCode),
      key: KEYS[0]!,
      fingerprint: FINGERPRINT,
    }),
  );
  const { InstanceInformationList } = await call('DescribeInstanceInformation', {});
  expect(InstanceInformationList).toMatchObject([{ InstanceId: id }]);
  expect(lost).toBe(2);
});
