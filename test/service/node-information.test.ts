import { describe, expect, test } from 'vitest';
import { activate, Machine, messagesRequest, type RoleToken, send } from './machine.ts';
import { NODE, nodeCredentials, WireNode, type World, type WorldOptions, world } from './world.ts';

const MINUTE = 60_000;

async function registered(options: WorldOptions = {}): Promise<{ w: World; machine: Machine } & RoleToken> {
  const w = world(options);
  const activation = await activate(w, { DefaultInstanceName: 'web', Tags: [{ Key: 'team', Value: 'web' }] });
  const machine = await new Machine(w).register(activation);
  return { w, machine, ...(await machine.roleToken()) };
}

async function list(w: World, input: object = {}): Promise<Record<string, unknown>[]> {
  const { InstanceInformationList } = await w.ok('DescribeInstanceInformation', input);
  return InstanceInformationList as Record<string, unknown>[];
}

describe('UpdateInstanceInformation', () => {
  test('is kept, and shown to people and to the host', async () => {
    const { w, machine, credentials } = await registered();
    const { ActivationId } = (
      (await w.ok('DescribeActivations', {})).ActivationList as [{ ActivationId: string }]
    )[0];
    const registrationDate = w.clock.now();
    await w.clock.advance(MINUTE);
    // The first of two at start.
    const { id: InstanceId } = machine;
    const short = {
      AgentName: 'amazon-ssm-agent',
      AgentVersion: '3.3.0.0',
      InstanceId,
      PlatformType: 'Linux',
    };
    expect(await w.call('UpdateInstanceInformation', short, credentials)).toMatchObject({
      status: 200,
      body: {},
    });
    expect(await machine.ping(credentials, { NewMember: { of: 'a later agent' } })).toMatchObject({
      status: 200,
    });

    expect(await list(w)).toEqual([
      {
        InstanceId,
        PingStatus: 'Online',
        LastPingDateTime: w.clock.now() / 1000,
        AgentVersion: '3.3.0.0',
        IsLatestVersion: true,
        PlatformType: 'Linux',
        PlatformName: 'Debian GNU/Linux',
        PlatformVersion: '12',
        ActivationId,
        IamRole: 'Fleet',
        RegistrationDate: registrationDate / 1000,
        ResourceType: 'ManagedInstance',
        Name: 'web',
        IPAddress: '10.0.0.7',
        ComputerName: 'web-1.example',
        SourceId: InstanceId,
        SourceType: 'AWS::SSM::ManagedInstance',
      },
    ]);
    expect(await w.service.targets()).toMatchObject([
      {
        id: InstanceId,
        lastPing: w.clock.now(),
        information: {
          agentName: 'amazon-ssm-agent',
          availabilityZone: '',
          ipAddress: '10.0.0.7',
          ssmConnectionChannel: 'ssmmessages',
        },
      },
    ]);
  });

  test('the short one leaves what the full one said', async () => {
    const { w, machine, credentials } = await registered();
    await machine.ping(credentials);
    const short = { AgentVersion: '3.3.1.0', InstanceId: machine.id };
    await w.call('UpdateInstanceInformation', short, credentials);
    expect(await list(w)).toMatchObject([{ AgentVersion: '3.3.1.0', ComputerName: 'web-1.example' }]);
  });

  test('of another node, by people, or of a node that is not there, is refused', async () => {
    const { w, machine, credentials } = await registered();
    const call = (InstanceId: string, by?: typeof credentials) =>
      w.call('UpdateInstanceInformation', { InstanceId }, by).then(({ body }) => body.__type);
    expect(await call(NODE, credentials)).toBe('AccessDeniedException');
    expect(await call(machine.id)).toBe('AccessDeniedException');
    expect(await call(NODE, nodeCredentials(NODE))).toBe('InvalidInstanceId');
  });

  test('takes what is too long, and keeps little of it', async () => {
    const { w, machine, credentials } = await registered();
    expect((await machine.ping(credentials, { ComputerName: 'n'.repeat(4000) })).status).toBe(200);
    expect((await list(w))[0]?.ComputerName).toHaveLength(256);
  });
});

describe('PingStatus', () => {
  test('is Online for three intervals of five minutes after a ping', async () => {
    const { w, machine, credentials } = await registered();
    await machine.ping(credentials);
    await w.clock.advance(15 * MINUTE - 1);
    expect(await list(w)).toMatchObject([{ PingStatus: 'Online' }]);
    await w.clock.advance(1);
    expect(await list(w)).toMatchObject([{ PingStatus: 'ConnectionLost' }]);
    await machine.ping(credentials);
    expect(await list(w)).toMatchObject([{ PingStatus: 'Online' }]);
  });

  test('of a node that never pings is that of its control channel', async () => {
    const w = world();
    await w.service.registerTarget({ id: NODE });
    expect(await list(w)).toMatchObject([{ PingStatus: 'Inactive' }]);
    await new WireNode(NODE, w.clock, w.transport).connect('3.1.0.0');
    expect(await list(w)).toMatchObject([
      { InstanceId: NODE, PingStatus: 'Online', PlatformType: 'Linux', AgentVersion: '3.1.0.0' },
    ]);
  });
});

describe('DescribeInstanceInformation', () => {
  const OTHER = 'mi-0fedcba9876543210';
  const EC2 = 'i-0123456789abcdef0';

  async function three() {
    const { w, machine, credentials } = await registered();
    await machine.ping(credentials);
    await w.service.registerTarget({ id: OTHER, tags: { team: 'db', spare: '' } });
    await w.service.registerTarget({ id: EC2 });
    const names = new Map([
      [machine.id, 'hybrid'],
      [OTHER, 'other'],
      [EC2, 'ec2'],
    ]);
    const find = async (input: object) =>
      (await list(w, input)).map(({ InstanceId }) => names.get(InstanceId as string));
    return { w, find };
  }

  test.each([
    ['InstanceIds', [OTHER, EC2], ['ec2', 'other']],
    ['PingStatus', ['Online'], ['hybrid']],
    ['PingStatus', ['Online', 'Inactive'], ['hybrid', 'ec2', 'other']],
    ['AgentVersion', ['3.3.0.0'], ['hybrid']],
    ['PlatformTypes', ['Linux'], ['hybrid']],
    ['IamRole', ['Fleet'], ['hybrid']],
    ['ResourceType', ['EC2Instance'], ['ec2']],
    ['AssociationStatus', ['Success'], []],
  ])('finds by %s %j, in either form', async (key, values, expected) => {
    const { find } = await three();
    expect(await find({ InstanceInformationFilterList: [{ key, valueSet: values }] })).toEqual(expected);
    expect(await find({ Filters: [{ Key: key, Values: values }] })).toEqual(expected);
  });

  test.each([
    [[{ Key: 'tag-key', Values: ['team'] }], ['hybrid', 'other']],
    [[{ Key: 'tag:team', Values: ['web', 'ops'] }], ['hybrid']],
    [
      [
        { Key: 'tag:team', Values: ['db'] },
        { Key: 'tag-key', Values: ['spare'] },
      ],
      ['other'],
    ],
    [[{ Key: 'tag:constructor', Values: ['x'] }], []],
    [[{ Key: 'SourceTypes', Values: ['AWS::EC2::Instance'] }], ['ec2']],
    [[{ Key: 'SourceIds', Values: [EC2] }], ['ec2']],
  ])('finds by %j', async (Filters, expected) => {
    const { find } = await three();
    expect(await find({ Filters })).toEqual(expected);
  });

  test('finds the nodes of an activation', async () => {
    const { w, find } = await three();
    const [{ ActivationId }] = (await w.ok('DescribeActivations', {})).ActivationList as [
      { ActivationId: string },
    ];
    expect(await find({ Filters: [{ Key: 'ActivationIds', Values: [ActivationId] }] })).toEqual(['hybrid']);
  });

  test.each([
    ['InvalidFilterKey', { Filters: [{ Key: 'Colour', Values: ['x'] }] }],
    ['InvalidFilterKey', { Filters: [{ Key: 'constructor', Values: ['x'] }] }],
    ['InvalidInstanceInformationFilterValue', { Filters: [{ Key: 'PingStatus', Values: ['Away'] }] }],
    [
      'InvalidInstanceInformationFilterValue',
      {
        Filters: [
          { Key: 'tag:team', Values: ['web'] },
          { Key: 'PingStatus', Values: ['Online'] },
        ],
      },
    ],
    ['InvalidInstanceId', { Filters: [{ Key: 'InstanceIds', Values: ['mi-00000000000000000'] }] }],
    [
      'ValidationException',
      {
        Filters: [{ Key: 'IamRole', Values: ['x'] }],
        InstanceInformationFilterList: [{ key: 'IamRole', valueSet: ['x'] }],
      },
    ],
    ['ValidationException', { MaxResults: 4 }],
    ['InvalidNextToken', { NextToken: 'x' }],
  ])('answers %s to %j', async (code, input) => {
    const { w } = await three();
    expect((await w.call('DescribeInstanceInformation', input)).body.__type).toBe(code);
  });

  test('comes in pages of ten', async () => {
    const w = world();
    const ids = Array.from({ length: 23 }, (_, i) => `mi-${String(i).padStart(17, '0')}`);
    for (const id of ids) await w.service.registerTarget({ id });
    const found: unknown[] = [];
    const sizes: number[] = [];
    let NextToken: unknown;
    do {
      const page = await w.ok('DescribeInstanceInformation', {
        ...(NextToken !== undefined && { NextToken }),
      });
      const nodes = page.InstanceInformationList as { InstanceId: string }[];
      sizes.push(nodes.length);
      found.push(...nodes.map(({ InstanceId }) => InstanceId));
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    expect(sizes).toEqual([10, 10, 3]);
    expect(found).toEqual(ids);
  });
});

describe('DeregisterManagedInstance', () => {
  test('ends credentials, sessions and the control channel at once', async () => {
    const { w, machine, credentials } = await registered();
    const node = new WireNode(machine.id, w.clock, w.transport, credentials);
    await node.connect();
    const session = await w.start({ Target: machine.id });
    const agent = await node.joinReady(session.SessionId);
    const client = await w.client(session);

    await w.ok('DeregisterManagedInstance', { InstanceId: machine.id });
    expect((await machine.ping(credentials)).body.__type).toBe('UnrecognizedClientException');
    expect(node.control.json('channel_closed')).toMatchObject([{ SessionId: session.SessionId }]);
    expect(node.control.closed).toMatchObject({ code: 1008 });
    expect(agent.json('channel_closed')).toMatchObject([{ SessionId: session.SessionId }]);
    expect(client.json('channel_closed')).toMatchObject([{ SessionId: session.SessionId }]);
    expect(client.closed).toBeDefined();
    expect(await w.status(session.SessionId)).toMatchObject({ Status: 'Failed' });
    expect((await node.createChannel(`/v1/control-channel/${machine.id}`)).status).toBe(400);
    expect(await w.service.targets()).toEqual([]);
    expect(w.events.filter(({ type }) => type === 'node')).toMatchObject([
      { connected: true },
      { connected: false },
    ]);
    expect((await w.call('DeregisterManagedInstance', { InstanceId: machine.id })).body.__type).toBe(
      'InvalidInstanceId',
    );
  });

  test('ends what the host registered, too', async () => {
    const w = world();
    const node = await w.node();
    await w.ok('DeregisterManagedInstance', { InstanceId: NODE });
    expect(node.control.closed).toBeDefined();
    expect((await w.call('StartSession', { Target: NODE })).body.__type).toBe('TargetNotConnected');
  });

  test.each([
    ['an EC2 instance', 'i-0123456789abcdef0', 'ValidationException'],
    ['a node that is not there', NODE, 'InvalidInstanceId'],
  ])('of %s is refused', async (_, InstanceId, code) => {
    const w = world();
    expect((await w.call('DeregisterManagedInstance', { InstanceId })).body.__type).toBe(code);
    expect((await w.call('UpdateManagedInstanceRole', { InstanceId, IamRole: 'X' })).body.__type).toBe(code);
  });

  test('needs a policy, which may go by the tags of the node', async () => {
    const asked: unknown[] = [];
    const { w, machine } = await registered({
      authorize: ({ action, resource, context }) => {
        asked.push([action, resource, context.get('ssm:resourceTag/team')]);
        return action === 'ssm:DeregisterManagedInstance'
          ? { effect: 'ExplicitDeny', policyType: 'identity-based policy' }
          : { effect: 'Allow' };
      },
    });
    const { body } = await w.call('DeregisterManagedInstance', { InstanceId: machine.id });
    expect(body.__type).toBe('AccessDeniedException');
    const resource = `arn:aws:ssm:eu-central-1:111122223333:managed-instance/${machine.id}`;
    expect(asked.at(-1)).toEqual(['ssm:DeregisterManagedInstance', resource, 'web']);
    expect(await w.service.targets()).toHaveLength(1);
  });
});

describe('what an agent calls besides', () => {
  test.each([
    ['ListInstanceAssociations', { Associations: [] }],
    ['UpdateInstanceAssociationStatus', {}],
    ['PutInventory', {}],
    ['PutComplianceItems', {}],
  ])('%s has nothing to do', async (operation, answer) => {
    const { w, machine, credentials } = await registered();
    const input = { InstanceId: machine.id, MaxResults: 20 };
    expect(await w.call(operation, input, credentials)).toMatchObject({ status: 200, body: answer });
    expect((await w.call(operation, input)).body.__type).toBe('AccessDeniedException');
  });

  test.each(['AcknowledgeMessage', 'SendReply', 'FailMessage', 'DeleteMessage'])(
    'ec2messages %s is taken',
    async (operation) => {
      const { w, credentials } = await registered();
      const request = await messagesRequest(w, operation, { MessageId: 'm' }, credentials);
      expect(await send(w, request)).toMatchObject({ status: 200, body: {} });
    },
  );
});

describe('ec2messages GetMessages', () => {
  const input = { Destination: 'mi-x', MessagesRequestId: 'r', VisibilityTimeoutInSeconds: 10 };
  const answer = { Destination: 'mi-x', MessagesRequestId: 'r', Messages: [] };

  /** When each of so many calls was answered, in milliseconds from now. */
  async function polls(count: number) {
    const { w, credentials } = await registered();
    const start = w.clock.now();
    const times: (number | undefined)[] = Array.from({ length: count });
    const bodies: unknown[] = [];
    const aborts = times.map(() => new AbortController());
    for (const [i, { signal }] of aborts.entries()) {
      const request = await messagesRequest(w, 'GetMessages', input, credentials, { signal });
      w.service.fetch(request).then(async (response) => {
        times[i] = w.clock.now() - start;
        bodies.push(await response.json());
      });
      await w.settle();
    }
    return { w, times, bodies, aborts };
  }

  test('is held for longer than an agent takes for a failure, and shorter than it waits', async () => {
    const { w, times, bodies } = await polls(1);
    await w.clock.advance(17_999);
    expect(times).toEqual([undefined]);
    await w.clock.advance(1);
    expect(times).toEqual([18_000]);
    expect(bodies).toEqual([answer]);
  });

  test('holds four of a node, and lets the oldest go for another', async () => {
    const { w, times } = await polls(6);
    expect(times).toEqual([0, 0, undefined, undefined, undefined, undefined]);
    await w.clock.advance(18_000);
    expect(times.slice(2)).toEqual([18_000, 18_000, 18_000, 18_000]);
  });

  test('lets go when nobody waits any more', async () => {
    const { w, times, aborts } = await polls(1);
    await w.clock.advance(1000);
    aborts[0]!.abort();
    await w.settle();
    expect(times).toEqual([1000]);
  });

  test('lets go when the service closes', async () => {
    const { w, times } = await polls(2);
    await w.service.close();
    await w.settle();
    expect(times).toEqual([0, 0]);
  });

  test('is for agents, signed for its own service', async () => {
    const { w, credentials } = await registered();
    const { body } = await send(
      w,
      await messagesRequest(w, 'GetMessages', input, credentials, { service: 'ssm' }),
    );
    expect(body.__type).toBe('InvalidSignatureException');
    const jane = { accessKeyId: 'AKIAJANE', secretAccessKey: 'jane-secret' };
    expect((await send(w, await messagesRequest(w, 'GetMessages', input, jane))).body.__type).toBe(
      'AccessDeniedException',
    );
    expect((await send(w, await messagesRequest(w, 'GetEndpoint', {}, credentials))).body.__type).toBe(
      'UnknownOperationException',
    );
  });
});
