import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { memoryStore } from '../../src/service/index.ts';
import {
  type Activation,
  activate,
  Machine,
  nodeHeaders,
  post,
  publicKeyOf,
  rsaKey,
  send,
} from './machine.ts';
import { ENDPOINT, world } from './world.ts';

const HOUR = 3_600_000;

describe('RegisterManagedInstance, unsigned as the agent sends it', () => {
  test('makes a node of the machine, with what the activation says of it', async () => {
    const w = world();
    const Tags = [{ Key: 'team', Value: 'web' }];
    const activation = await activate(w, { DefaultInstanceName: 'web', Tags });
    const { id } = await new Machine(w).register(activation);
    expect(id).toMatch(/^mi-[0-9a-f]{17}$/);
    expect(await w.service.targets()).toEqual([
      {
        id,
        tags: { team: 'web' },
        connected: false,
        registration: {
          activationId: activation.ActivationId,
          iamRole: 'Fleet',
          name: 'web',
          date: w.clock.now(),
        },
      },
    ]);
  });

  test('tells the host, and no secret', async () => {
    const w = world();
    const activation = await activate(w);
    const machine = await new Machine(w).register(activation);
    const { credentials } = await machine.roleToken();
    await w.ok('DeregisterManagedInstance', { InstanceId: machine.id });
    const events = w.events.filter(({ type }) => type !== 'call');
    expect(events.map(({ type }) => type)).toEqual([
      'activation',
      'registration',
      'roleToken',
      'registration',
    ]);
    expect(events[0]).toMatchObject({
      activationId: activation.ActivationId,
      id: machine.id,
      registrations: 1,
      registrationLimit: 1,
    });
    expect(events[2]).toMatchObject({ id: machine.id, accessKeyId: credentials.accessKeyId });
    const text = JSON.stringify(w.events);
    for (const secret of [
      activation.ActivationCode,
      credentials.secretAccessKey,
      credentials.sessionToken!,
    ]) {
      expect(text).not.toContain(secret);
    }
  });

  test('again from the same machine: the same id, counted once, also when the activation is used up', async () => {
    const w = world();
    const activation = await activate(w);
    const { id } = await new Machine(w).register(activation);
    const again = await new Machine(w).register(activation);
    expect(again.id).toBe(id);
    expect(w.events.filter(({ type }) => type === 'registration')).toHaveLength(1);
    const { ActivationList } = await w.ok('DescribeActivations', {});
    expect(ActivationList).toMatchObject([{ RegistrationsCount: 1 }]);
  });

  test('as often as the activation says, even all at once', async () => {
    const w = world();
    const activation = await activate(w, { RegistrationLimit: 2 });
    const answers = await Promise.all(
      [0, 1, 2].map((index) => new Machine(w, index).tryRegister(activation)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 400]);
    expect(answers.find(({ status }) => status === 400)?.body.__type).toBe('InvalidActivation');
    expect(await w.service.targets()).toHaveLength(2);
  });

  test('a machine that was deregistered is a new one, which uses the activation again', async () => {
    const w = world();
    const activation = await activate(w, { RegistrationLimit: 2 });
    const machine = await new Machine(w).register(activation);
    const first = machine.id;
    await w.ok('DeregisterManagedInstance', { InstanceId: first });
    await machine.register(activation);
    expect(machine.id).not.toBe(first);
    await w.ok('DeregisterManagedInstance', { InstanceId: machine.id });
    expect((await machine.tryRegister(activation)).body.__type).toBe('InvalidActivation');
  });

  test('a machine that asks again while it is being deregistered does not come back', async () => {
    const store = memoryStore();
    const w = world({ store });
    const activation = await activate(w);
    const machine = await new Machine(w).register(activation);
    let meanwhile: (() => Promise<unknown>) | undefined = () =>
      w.ok('DeregisterManagedInstance', { InstanceId: machine.id });
    const create = store.nodes.create.bind(store.nodes);
    store.nodes.create = async (key, value) => {
      const now = meanwhile;
      meanwhile = undefined;
      await now?.();
      return create(key, value);
    };
    const { status, body } = await machine.tryRegister(activation);
    expect([status, body.__type]).toEqual([400, 'InvalidActivation']);
    expect(await w.service.targets()).toEqual([]);
    expect((await machine.tryRoleToken()).body.__type).toBe('InvalidInstanceId');
  });

  const hostile: [string, string, (activation: Activation) => object][] = [
    ['a wrong code', 'InvalidActivation', () => ({ ActivationCode: 'x'.repeat(20) })],
    [
      'the code but for its last character',
      'InvalidActivation',
      ({ ActivationCode }) => ({ ActivationCode: `${ActivationCode.slice(0, -1)}=` }),
    ],
    [
      'an id that nobody knows',
      'InvalidActivation',
      () => ({ ActivationId: '00000000-0000-4000-8000-000000000000' }),
    ],
    ['no pair', 'InvalidActivation', () => ({ ActivationId: null, ActivationCode: null })],
    ['no fingerprint', 'ValidationException', () => ({ Fingerprint: null })],
    ['a huge fingerprint', 'ValidationException', () => ({ Fingerprint: 'f'.repeat(100_000) })],
    ['no key', 'ValidationException', () => ({ PublicKey: null })],
    ['a key that is none', 'ValidationException', () => ({ PublicKey: 'A'.repeat(392) })],
    ['a huge key', 'ValidationException', () => ({ PublicKey: publicKeyOf(rsaKey()).padEnd(200_000, 'A') })],
    [
      'a key of 1024 bits',
      'ValidationException',
      () => ({ PublicKey: publicKeyOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey) }),
    ],
    ['a key of another type', 'ValidationException', () => ({ PublicKeyType: 'Ed25519' })],
    [
      'a list as code',
      'SerializationException',
      ({ ActivationCode }) => ({ ActivationCode: [ActivationCode] }),
    ],
  ];

  test.each(hostile)('%s is refused: %s', async (_, code, changes) => {
    const w = world();
    const activation = await activate(w);
    const { status, body } = await new Machine(w).tryRegister(activation, changes(activation));
    expect([status, body.__type]).toEqual([400, code]);
    expect(JSON.stringify(body)).not.toContain(activation.ActivationCode);
    expect(await w.service.targets()).toEqual([]);
    // Nothing was used up.
    await new Machine(w).register(activation);
  });

  test('what the machine says of role and tags is not taken', async () => {
    const w = world();
    const activation = await activate(w);
    const changes = { IamRole: 'Admin', Tags: [{ Key: 'team', Value: 'root' }] };
    await new Machine(w).tryRegister(activation, changes);
    expect(await w.service.targets()).toMatchObject([{ tags: {}, registration: { iamRole: 'Fleet' } }]);
  });

  test('an activation is good until it expires or is deleted', async () => {
    const w = world();
    const expiring = await activate(w, {
      ExpirationDate: (w.clock.now() + HOUR) / 1000,
      RegistrationLimit: 9,
    });
    await w.clock.advance(HOUR - 1);
    const { id } = await new Machine(w).register(expiring);
    await w.clock.advance(1);
    expect((await new Machine(w, 1).tryRegister(expiring)).body.__type).toBe('InvalidActivation');

    const deleted = await activate(w);
    await w.ok('DeleteActivation', { ActivationId: deleted.ActivationId });
    expect((await new Machine(w, 1).tryRegister(deleted)).body.__type).toBe('InvalidActivation');
    // The nodes that it made stay.
    await w.ok('DeleteActivation', { ActivationId: expiring.ActivationId });
    expect(await w.service.targets()).toMatchObject([{ id }]);
  });

  test('after too many wrong codes an activation takes none for a minute, and others do', async () => {
    const w = world({ limits: { wrongCodes: 3 } });
    const [tried, other] = [await activate(w), await activate(w)];
    const wrong = { ActivationCode: 'x'.repeat(20) };
    for (const _ of [1, 2, 3]) {
      expect((await new Machine(w).tryRegister(tried, wrong)).body.__type).toBe('InvalidActivation');
    }
    // The one error that the agent tries again on.
    expect((await new Machine(w).tryRegister(tried)).body.__type).toBe('TooManyUpdates');
    await new Machine(w).register(other);
    await w.clock.advance(60_000);
    await new Machine(w).register(tried);
  });

  test('a signature that is there must be good', async () => {
    const w = world();
    const activation = await activate(w);
    const body = JSON.stringify({ ...activation, PublicKey: publicKeyOf(rsaKey()), Fingerprint: 'f' });
    const headers = nodeHeaders({
      id: 'AKIANOBODY',
      operation: 'RegisterManagedInstance',
      body,
      key: rsaKey(),
      now: w.clock.now(),
    });
    expect((await send(w, post(headers, body))).body.__type).toBe('UnrecognizedClientException');
    const { authorization: _, ...unsigned } = headers;
    const presigned = new Request(`${ENDPOINT}/?X-Amz-Signature=0`, post(unsigned, body));
    expect((await send(w, presigned)).body.__type).toBe('IncompleteSignatureException');
  });
});

describe('an activation', () => {
  test('has a code of 20 characters, which is kept as a hash', async () => {
    const store = memoryStore();
    const w = world({ store });
    const { ActivationId, ActivationCode } = await activate(w);
    expect(ActivationCode).toMatch(/^[A-Za-z0-9+/]{20}$/);
    expect(ActivationId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(JSON.stringify(await store.activations.list())).not.toContain(ActivationCode);
    expect(JSON.stringify(await w.ok('DescribeActivations', {}))).not.toContain(ActivationCode);
  });

  test('is described with all that was given', async () => {
    const w = world();
    const input = {
      IamRole: 'service-role/Fleet',
      Description: 'for the web',
      DefaultInstanceName: 'web',
      RegistrationLimit: 7,
      ExpirationDate: w.clock.now() / 1000 + 60,
      Tags: [{ Key: 'team', Value: 'web' }],
    };
    const { ActivationId } = await activate(w, {
      ...input,
      RegistrationMetadata: [{ Key: 'a', Value: 'b' }],
    });
    const described = {
      ...input,
      ActivationId,
      RegistrationsCount: 0,
      Expired: false,
      CreatedDate: w.clock.now() / 1000,
    };
    expect((await w.ok('DescribeActivations', {})).ActivationList).toEqual([described]);
    await w.clock.advance(60_000);
    expect((await w.ok('DescribeActivations', {})).ActivationList).toEqual([{ ...described, Expired: true }]);
  });

  test('lives a day, for one machine, unless it is told otherwise', async () => {
    const w = world();
    await activate(w);
    expect((await w.ok('DescribeActivations', {})).ActivationList).toMatchObject([
      { RegistrationLimit: 1, ExpirationDate: (w.clock.now() + 24 * HOUR) / 1000 },
    ]);
  });

  test.each([
    ['an end in the past', 'InvalidParameters', { ExpirationDate: 1 }],
    ['an end in 31 days', 'InvalidParameters', { ExpirationDate: 1e12 }],
    ['an end that is no number', 'SerializationException', { ExpirationDate: '2030-01-01' }],
    ['no role', 'ValidationException', { IamRole: null }],
    ['a role that is no name', 'ValidationException', { IamRole: 'a:b' }],
    ['no machines', 'ValidationException', { RegistrationLimit: 0 }],
    ['1001 machines', 'ValidationException', { RegistrationLimit: 1001 }],
    ['a tag of AWS', 'InvalidParameters', { Tags: [{ Key: 'aws:x', Value: '' }] }],
    [
      'a tag twice',
      'InvalidParameters',
      {
        Tags: [
          { Key: 'x', Value: '' },
          { Key: 'x', Value: '' },
        ],
      },
    ],
    [
      '51 tags',
      'InvalidParameters',
      { Tags: Array.from({ length: 51 }, (_, i) => ({ Key: `${i}`, Value: '' })) },
    ],
    ['a blank key of metadata', 'ValidationException', { RegistrationMetadata: [{ Key: ' ', Value: 'x' }] }],
  ])('with %s is not made: %s', async (_, code, input) => {
    const w = world();
    expect((await w.call('CreateActivation', { IamRole: 'Fleet', ...input })).body.__type).toBe(code);
    expect((await w.ok('DescribeActivations', {})).ActivationList).toEqual([]);
  });

  test('needs the right to make it, and to pass its role on', async () => {
    const denied = (action: string) =>
      world({
        authorize: (request) =>
          request.action === action
            ? { effect: 'ExplicitDeny', policyType: 'identity-based policy' }
            : { effect: 'Allow' },
      }).call('CreateActivation', { IamRole: 'Fleet' });
    for (const action of ['ssm:CreateActivation', 'iam:PassRole']) {
      const { body } = await denied(action);
      expect(body.__type).toBe('AccessDeniedException');
      expect(body.message).toContain(action);
    }
    expect((await denied('iam:PassRole')).body.message).toContain('arn:aws:iam::111122223333:role/Fleet');
  });

  test('there are so many and no more; old ones make room after 30 days', async () => {
    const w = world({ limits: { activations: 2 } });
    await activate(w);
    await activate(w, { ExpirationDate: w.clock.now() / 1000 + 60 });
    const { body } = await w.call('CreateActivation', { IamRole: 'Fleet' });
    expect(body.__type).toBe('ServiceQuotaExceededException');
    await w.clock.advance(30 * 24 * HOUR + 60_000);
    await activate(w);
    expect((await w.ok('DescribeActivations', {})).ActivationList).toHaveLength(2);
  });
});

describe('DescribeActivations', () => {
  async function three() {
    const w = world();
    const ids: string[] = [];
    for (const [IamRole, DefaultInstanceName] of [
      ['A', 'x'],
      ['A', 'y'],
      ['B', 'x'],
    ]) {
      ids.unshift((await activate(w, { IamRole, DefaultInstanceName })).ActivationId);
      await w.clock.advance(1000);
    }
    const find = async (input: object) => {
      const { ActivationList } = await w.ok('DescribeActivations', input);
      return (ActivationList as { ActivationId: string }[]).map(({ ActivationId }) =>
        ids.indexOf(ActivationId),
      );
    };
    return { w, ids, find };
  }

  test('lists the newest first, page by page', async () => {
    const { w, ids, find } = await three();
    expect(await find({})).toEqual([0, 1, 2]);
    const first = await w.ok('DescribeActivations', { MaxResults: 2 });
    const { NextToken } = first;
    expect(first.ActivationList).toHaveLength(2);
    expect(await find({ MaxResults: 2, NextToken })).toEqual([ids.length - 1]);
    const other = { NextToken, Filters: [{ FilterKey: 'IamRole', FilterValues: ['A'] }] };
    expect((await w.call('DescribeActivations', other)).body.__type).toBe('InvalidNextToken');
  });

  test('filters by id, name and role', async () => {
    const { ids, find } = await three();
    const by = (FilterKey: string, ...FilterValues: string[]) => ({ FilterKey, FilterValues });
    expect(await find({ Filters: [by('ActivationIds', ids[1]!, 'other')] })).toEqual([1]);
    expect(await find({ Filters: [by('IamRole', 'A')] })).toEqual([1, 2]);
    expect(await find({ Filters: [by('IamRole', 'A'), by('DefaultInstanceName', 'x')] })).toEqual([2]);
  });

  test.each([[[{ FilterKey: 'Expired', FilterValues: ['x'] }]], [[{ FilterKey: 'IamRole' }]], [[{}]]])(
    'refuses the filters %j',
    async (Filters) => {
      const { body } = await world().call('DescribeActivations', { Filters });
      expect(body.__type).toBe('InvalidFilter');
    },
  );
});

test('DeleteActivation of one that nobody knows is InvalidActivationId', async () => {
  const ActivationId = '00000000-0000-4000-8000-000000000000';
  expect((await world().call('DeleteActivation', { ActivationId })).body.__type).toBe('InvalidActivationId');
});
