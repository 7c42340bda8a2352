import { describe, expect, test } from 'vitest';
import { memoryStore } from '../../src/service/index.ts';
import { activate, fingerprint, Machine, nodeHeaders, post, publicKeyOf, rsaKey, send } from './machine.ts';
import { ACCOUNT, JANE, jane, NODE, WireNode, type World, type WorldOptions, world } from './world.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

async function registered(options: WorldOptions = {}): Promise<{ w: World; machine: Machine }> {
  const w = world(options);
  const machine = await new Machine(w).register(await activate(w));
  return { w, machine };
}

describe('RequestManagedInstanceRoleToken, signed with the key of the node', () => {
  test('gives credentials for an hour, whatever the body is framed as', async () => {
    const { w, machine } = await registered();
    const { status, body } = await machine.tryRoleToken();
    expect(status).toBe(200);
    expect(body).toEqual({
      AccessKeyId: expect.stringMatching(/^ASIA[A-Z2-7]{16}$/),
      SecretAccessKey: expect.stringMatching(/^\S{40}$/),
      SessionToken: expect.stringMatching(/^\S{64,}$/),
      TokenExpirationDate: Math.floor((w.clock.now() + HOUR) / 1000),
      // The agent dereferences it.
      UpdateKeyPair: false,
    });
  });

  test('another machine with the key gets none', async () => {
    const { machine } = await registered();
    const { status, body } = await machine.signed('RequestManagedInstanceRoleToken', {
      Fingerprint: fingerprint(9),
    });
    expect([status, body.__type]).toEqual([400, 'MachineFingerprintDoesNotMatch']);
  });

  test('the key and fingerprint of one node are no good for another', async () => {
    const w = world();
    const activation = await activate(w, { RegistrationLimit: 2 });
    const one = await new Machine(w, 0).register(activation);
    const two = await new Machine(w, 1).register(activation);
    expect((await one.tryRoleToken({ id: two.id })).body.__type).toBe('InvalidSignatureException');
    const input = { Fingerprint: two.fingerprint };
    const { body } = await one.signed('RequestManagedInstanceRoleToken', input);
    expect(body.__type).toBe('MachineFingerprintDoesNotMatch');
  });

  test('a node that nobody knows, and one that was deregistered, are InvalidInstanceId', async () => {
    const { w, machine } = await registered();
    expect((await machine.tryRoleToken({ id: 'mi-00000000000000000' })).body.__type).toBe(
      'InvalidInstanceId',
    );
    await w.ok('DeregisterManagedInstance', { InstanceId: machine.id });
    expect((await machine.tryRoleToken()).body.__type).toBe('InvalidInstanceId');
  });

  test('a node of the host, without a key, has none to sign with', async () => {
    const w = world();
    await w.service.registerTarget({ id: NODE });
    const machine = new Machine(w);
    machine.id = NODE;
    expect((await machine.tryRoleToken()).body.__type).toBe('InvalidInstanceId');
  });

  test('an ordinary signature is not enough', async () => {
    const { w, machine } = await registered();
    const input = { Fingerprint: machine.fingerprint };
    expect((await w.call('RequestManagedInstanceRoleToken', input)).status).toBe(400);
    const { credentials } = await machine.roleToken();
    expect((await w.call('RequestManagedInstanceRoleToken', input, credentials)).status).toBe(400);
  });

  test('nothing else can be called with the key', async () => {
    const { machine } = await registered();
    for (const [operation, input] of [
      ['UpdateInstanceInformation', { InstanceId: machine.id }],
      ['DescribeSessions', { State: 'Active' }],
      ['CreateActivation', { IamRole: 'Fleet' }],
    ] as const) {
      const { status, body } = await machine.signed(operation, input);
      expect([operation, status, body.__type]).toEqual([operation, 400, 'UnrecognizedClientException']);
    }
  });

  const tampered: [string, (headers: Record<string, string>) => void][] = [
    [
      'the date',
      (headers) =>
        (headers['x-amz-date'] = headers['x-amz-date']!.replace(
          /\dZ$/,
          (end) => `${(Number(end[0]) + 1) % 10}Z`,
        )),
    ],
    ['the content type', (headers) => (headers['content-type'] = 'application/json')],
    ['the operation', (headers) => (headers['x-amz-target'] = 'AmazonSSM.UpdateManagedInstancePublicKey')],
    ['the stated hash', (headers) => (headers['x-amz-content-sha256'] = '0'.repeat(64))],
    [
      'the region',
      (headers) => (headers.authorization = headers.authorization!.replace('eu-central-1', 'eu-west-1')),
    ],
    [
      'the service',
      (headers) => (headers.authorization = headers.authorization!.replace('/ssm/', '/ec2messages/')),
    ],
    [
      'the day',
      (headers) => (headers.authorization = headers.authorization!.replace(/\/\d{8}\//, '/20200101/')),
    ],
    [
      'the signature',
      (headers) =>
        (headers.authorization = headers.authorization!.replace(/Signature=./, (begin) =>
          begin.endsWith('A') ? 'Signature=B' : 'Signature=A',
        )),
    ],
    [
      'the list of headers',
      (headers) => (headers.authorization = headers.authorization!.replace('content-type;', '')),
    ],
    [
      'a signature in hex',
      (headers) =>
        (headers.authorization = headers.authorization!.replace(
          /Signature=.*/,
          `Signature=${'0'.repeat(64)}`,
        )),
    ],
  ];

  test.each(tampered)('with %s changed it is refused', async (_, change) => {
    const { w, machine } = await registered();
    const body = JSON.stringify({ Fingerprint: machine.fingerprint });
    const request = { id: machine.id, operation: 'RequestManagedInstanceRoleToken', body, key: machine.key };
    const headers = nodeHeaders({ ...request, now: w.clock.now() });
    change(headers);
    const answer = await send(w, post(headers, body));
    expect([answer.status, answer.body.__type]).toEqual([400, 'InvalidSignatureException']);
  });

  test('with a byte of the body changed it is refused', async () => {
    const { w, machine } = await registered();
    const body = JSON.stringify({ Fingerprint: machine.fingerprint });
    const request = { id: machine.id, operation: 'RequestManagedInstanceRoleToken', body, key: machine.key };
    const headers = nodeHeaders({ ...request, now: w.clock.now() });
    const answer = await send(w, post(headers, `${body} `));
    expect(answer.body.__type).toBe('InvalidSignatureException');
    delete headers['x-amz-content-sha256'];
    expect((await send(w, post(headers, `${body} `))).body.__type).toBe('InvalidSignatureException');
    expect((await send(w, post(headers, body))).status).toBe(200);
  });

  test('captured, it is good for as long as its date is, and gives nothing new', async () => {
    const { w, machine } = await registered();
    const now = w.clock.now();
    const first = await machine.roleToken();
    await w.clock.advance(4 * MINUTE);
    const { body } = await machine.tryRoleToken({ now });
    expect(body.AccessKeyId).toBe(first.credentials.accessKeyId);
    await w.clock.advance(2 * MINUTE);
    expect((await machine.tryRoleToken({ now })).body.__type).toBe('InvalidSignatureException');
  });
});

describe('the credentials of a node', () => {
  test('act as its role, in a session that has its name', async () => {
    const asked: string[] = [];
    const { w, machine } = await registered({
      authorize: ({ principal }) => {
        asked.push(principal.arn);
        return { effect: 'Allow' };
      },
    });
    const { credentials } = await machine.roleToken();
    await w.call('DescribeSessions', { State: 'Active' }, credentials);
    expect(asked.at(-1)).toBe(`arn:aws:sts::${ACCOUNT}:assumed-role/Fleet/${machine.id}`);
  });

  test('may do nothing but the work of its agent, unless the host says so', async () => {
    const { w, machine } = await registered();
    const { credentials } = await machine.roleToken();
    for (const [operation, input] of [
      ['StartSession', { Target: machine.id }],
      ['DescribeSessions', { State: 'Active' }],
      ['CreateActivation', { IamRole: 'Fleet' }],
      ['DeregisterManagedInstance', { InstanceId: machine.id }],
    ] as const) {
      const { body } = await w.call(operation, input, credentials);
      expect([operation, body.__type]).toEqual([operation, 'AccessDeniedException']);
    }
    expect((await machine.ping(credentials)).status).toBe(200);
  });

  test('may do nothing else whatever their role is called: one without a name is no role', async () => {
    const { w, machine } = await registered();
    for (const IamRole of ['Fleet/', '/', 'service-role/']) {
      const { body } = await w.call('CreateActivation', { IamRole });
      expect([IamRole, body.__type]).toEqual([IamRole, 'ValidationException']);
      const changed = await w.call('UpdateManagedInstanceRole', { InstanceId: machine.id, IamRole });
      expect([IamRole, changed.body.__type]).toEqual([IamRole, 'ValidationException']);
    }
    await w.ok('UpdateManagedInstanceRole', { InstanceId: machine.id, IamRole: 'service-role/Fleet' });
    const { credentials } = await machine.roleToken();
    const { body } = await w.call('DescribeSessions', { State: 'Active' }, credentials);
    expect(body.__type).toBe('AccessDeniedException');
  });

  test('are known to the service alone: the host is not asked', async () => {
    const asked: string[] = [];
    const { w, machine } = await registered({
      credentials: (id) => {
        asked.push(id);
        return id === JANE.accessKeyId ? { ...JANE, principal: jane } : undefined;
      },
    });
    const { credentials } = await machine.roleToken();
    await machine.ping(credentials);
    await w.clock.advance(24 * HOUR);
    await machine.ping(credentials);
    expect(new Set(asked)).toEqual(new Set([JANE.accessKeyId]));
  });

  test('open control and data channels', async () => {
    const { w, machine } = await registered();
    const { credentials } = await machine.roleToken();
    const node = new WireNode(machine.id, w.clock, w.transport, credentials);
    await node.connect();
    const session = await w.start({ Target: machine.id });
    expect(node.control.types).toEqual(['interactive_shell']);
    await node.joinReady(session.SessionId);
    await w.client(session);
    expect(await w.status(session.SessionId)).toMatchObject({ Status: 'Connected' });
  });

  test.each([
    ['another secret', { secretAccessKey: 'x' }, 'InvalidSignatureException'],
    ['another session token', { sessionToken: 'x' }, 'UnrecognizedClientException'],
    ['no session token', { sessionToken: undefined }, 'UnrecognizedClientException'],
    ['another key', { accessKeyId: 'ASIAHAWSERAAAAAAAAAA' }, 'UnrecognizedClientException'],
  ])('with %s are refused, by every API', async (_, change, code) => {
    const { w, machine } = await registered();
    const { credentials } = await machine.roleToken();
    const wrong = { ...credentials, ...change };
    expect((await machine.ping(wrong)).body.__type).toBe(code);
    const node = new WireNode(machine.id, w.clock, w.transport, wrong);
    const { status, text } = await node.createChannel(`/v1/control-channel/${machine.id}`);
    expect([status, text]).toEqual([400, expect.stringContaining(`<${code}>`)]);
  });

  test('stay good until they expire, through every refresh at half their life', async () => {
    const { w, machine } = await registered();
    const first = await machine.roleToken();
    await w.clock.advance(30 * MINUTE);
    const second = await machine.roleToken();
    expect(second.credentials).not.toEqual(first.credentials);
    await w.clock.advance(30 * MINUTE - 1000);
    expect((await machine.ping(first.credentials)).status).toBe(200);
    await w.clock.advance(1000);
    // The error upon which aws-sdk-go asks for others.
    expect((await machine.ping(first.credentials)).body.__type).toBe('ExpiredTokenException');
    expect((await machine.ping(second.credentials)).status).toBe(200);
  });

  test('are thrown away no sooner than they have been expired for a while', async () => {
    const { w, machine } = await registered();
    const first = await machine.roleToken();
    await w.clock.advance(30 * MINUTE);
    const second = await machine.roleToken();
    await w.clock.advance(31 * MINUTE);
    await machine.roleToken();
    expect((await machine.ping(first.credentials)).body.__type).toBe('ExpiredTokenException');
    expect((await machine.ping(second.credentials)).status).toBe(200);
  });

  test('are thrown away with their node', async () => {
    const store = memoryStore();
    const { w, machine } = await registered({ store });
    await machine.roleToken();
    await w.ok('DeregisterManagedInstance', { InstanceId: machine.id });
    expect(await store.roleCredentials.list()).toEqual([]);
  });

  test('expire for upgrades, too', async () => {
    const { w, machine } = await registered();
    const { credentials } = await machine.roleToken();
    const node = new WireNode(machine.id, w.clock, w.transport, credentials);
    await node.connect();
    await w.clock.advance(HOUR);
    const url = new URL(`http://service.test/v1/control-channel/${machine.id}?role=subscribe&stream=input`);
    const request = new Request(url, { headers: await node.sign('GET', url) });
    const answer = await w.service.upgrade(request);
    expect(answer).toBeInstanceOf(Response);
    expect(await (answer as Response).text()).toContain('<ExpiredTokenException>');
  });

  test('have the life that the host gives them', async () => {
    const { w, machine } = await registered({ timers: { roleToken: 10 * MINUTE } });
    expect((await machine.roleToken()).expires).toBe(w.clock.now() + 10 * MINUTE);
  });

  test('are the same for a node that asks again at once', async () => {
    const { w, machine } = await registered();
    const first = await machine.roleToken();
    expect(await machine.roleToken()).toEqual(first);
    await w.clock.advance(5 * MINUTE);
    expect((await machine.roleToken()).credentials).not.toEqual(first.credentials);
    expect(w.events.filter(({ type }) => type === 'roleToken')).toHaveLength(2);
  });

  test('are the same for a node that asks many times at once, even at several relays', async () => {
    const store = memoryStore();
    const w = world({ store });
    const machine = await new Machine(w).register(await activate(w));
    const other = Object.assign(new Machine(world({ store, clock: w.clock, seed: 8 })), { id: machine.id });
    const asked = await Promise.all(
      Array.from({ length: 20 }, (_, index) => (index % 2 ? machine : other).roleToken()),
    );
    expect(new Set(asked.map(({ credentials }) => credentials.accessKeyId)).size).toBe(1);
    expect(await store.roleCredentials.list()).toHaveLength(1);
    expect((await machine.ping(asked[0]!.credentials)).status).toBe(200);
  });

  test('do not pile up over a month, nor of a node that is gone', async () => {
    const store = memoryStore();
    const w = world({ store });
    const activation = await activate(w, { RegistrationLimit: 2 });
    const [machine, gone] = [
      await new Machine(w).register(activation),
      await new Machine(w, 1).register(activation),
    ];
    await gone.roleToken();
    let most = 0;
    for (let halves = 0; halves < 30 * 48; halves++) {
      const { credentials } = await machine.roleToken();
      if (halves % 100 === 0) expect((await machine.ping(credentials)).status).toBe(200);
      most = Math.max(most, (await store.roleCredentials.list()).length);
      await w.clock.advance(30 * MINUTE);
    }
    expect(most).toBeLessThanOrEqual(7);
    const left = (await store.roleCredentials.list()).map(({ value }) => value.instanceId);
    expect(new Set(left)).toEqual(new Set([machine.id]));
  });

  test('of another role from the next token on', async () => {
    const { w, machine } = await registered({
      authorize: ({ principal, action }) => ({
        effect:
          action === 'ssm:DescribeSessions' && principal.arn.includes('/Web/') ? 'ExplicitDeny' : 'Allow',
        policyType: 'identity-based policy',
      }),
    });
    const before = await machine.roleToken();
    await w.ok('UpdateManagedInstanceRole', { InstanceId: machine.id, IamRole: 'Web' });
    const after = await machine.roleToken();
    const describe = (credentials: typeof JANE) =>
      w.call('DescribeSessions', { State: 'Active' }, credentials);
    expect((await describe(before.credentials)).status).toBe(200);
    expect((await describe(after.credentials)).body.__type).toBe('AccessDeniedException');
  });
});

describe('the key of a node', () => {
  const rotate = (machine: Machine, index: number) =>
    machine.signed('UpdateManagedInstancePublicKey', {
      NewPublicKey: publicKeyOf(rsaKey(index)),
      NewPublicKeyType: 'Rsa',
    });

  test('is replaced when the host asks for it, once', async () => {
    const { w, machine } = await registered();
    await w.service.rotateNodeKey(machine.id);
    expect((await machine.roleToken()).updateKeyPair).toBe(true);
    expect(await rotate(machine, 1)).toMatchObject({ status: 200, body: {} });
    machine.key = rsaKey(1);
    expect((await machine.roleToken()).updateKeyPair).toBe(false);
    expect(w.events.filter(({ type }) => type === 'nodeKey')).toMatchObject([{ id: machine.id }]);
    machine.key = rsaKey(0);
    expect((await machine.tryRoleToken()).body.__type).toBe('InvalidSignatureException');
  });

  test('is good until the new one has been used: an agent may end before it has saved that', async () => {
    const { w, machine } = await registered();
    await w.service.rotateNodeKey(machine.id);
    await rotate(machine, 1);
    // It comes back with the old key, and is asked again.
    expect((await machine.roleToken()).updateKeyPair).toBe(true);
    await rotate(machine, 2);
    machine.key = rsaKey(1);
    expect((await machine.tryRoleToken()).body.__type).toBe('InvalidSignatureException');
    machine.key = rsaKey(2);
    expect((await machine.roleToken()).updateKeyPair).toBe(false);
  });

  test('can be put back by an agent that cannot save the new one, signed with the new one', async () => {
    const { machine } = await registered();
    await rotate(machine, 1);
    machine.key = rsaKey(1);
    expect((await rotate(machine, 0)).status).toBe(200);
    machine.key = rsaKey(0);
    await machine.roleToken();
    machine.key = rsaKey(1);
    expect((await machine.tryRoleToken()).body.__type).toBe('InvalidSignatureException');
  });

  test('the same announced twice, as after a lost answer, is announced once', async () => {
    const { machine } = await registered();
    await rotate(machine, 1);
    await rotate(machine, 1);
    machine.key = rsaKey(1);
    await machine.roleToken();
  });

  test('is replaced at the age that the host gives it, and never without', async () => {
    const { w, machine } = await registered({ timers: { nodeKey: 24 * HOUR } });
    await w.clock.advance(24 * HOUR - 1);
    expect((await machine.roleToken()).updateKeyPair).toBe(false);
    await w.clock.advance(1);
    expect((await machine.roleToken()).updateKeyPair).toBe(true);
    await rotate(machine, 1);
    machine.key = rsaKey(1);
    expect((await machine.roleToken()).updateKeyPair).toBe(false);

    const other = await registered();
    await other.w.clock.advance(10_000 * 24 * HOUR);
    expect((await other.machine.roleToken()).updateKeyPair).toBe(false);
  });

  test('is replaced by none that is no RSA key', async () => {
    const { machine } = await registered();
    const { body } = await machine.signed('UpdateManagedInstancePublicKey', {
      NewPublicKey: 'A'.repeat(392),
      NewPublicKeyType: 'Rsa',
    });
    expect(body.__type).toBe('ValidationException');
    await machine.roleToken();
  });

  test('of a node without one cannot be asked for', async () => {
    const w = world();
    await w.service.registerTarget({ id: NODE });
    await expect(w.service.rotateNodeKey(NODE)).rejects.toMatchObject({ code: 'ERR_UNKNOWN_NODE' });
  });
});

test('a service that is being closed does not cost an agent a day without credentials', async () => {
  const { w, machine } = await registered();
  await w.service.close();
  expect((await machine.tryRoleToken()).status).toBe(500);
  expect((await w.call('DescribeSessions', { State: 'Active' })).status).toBe(503);
});
