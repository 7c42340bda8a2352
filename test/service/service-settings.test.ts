/** GetServiceSetting, UpdateServiceSetting, ResetServiceSetting (CONTROL-PLANE.md section 2.7). */
import { describe, expect, test } from 'vitest';
import type { AuthorizationRequest } from '../../src/policy/index.ts';
import { memoryStore } from '../../src/service/index.ts';
import { ACCOUNT, jane, NODE, world } from './world.ts';

const TIER = '/ssm/managed-instance/activation-tier';
const ROLE = '/ssm/managed-instance/default-ec2-instance-management-role';
const ARN = `arn:aws:ssm:eu-central-1:${ACCOUNT}:servicesetting`;

describe('a service setting', () => {
  test.each([TIER, `${ARN}${TIER}`])('%s is read, changed, and set back', async (SettingId) => {
    const w = world({ activationTier: 'standard' });
    const initial = {
      SettingId: TIER,
      SettingValue: 'standard',
      LastModifiedUser: 'System',
      ARN: `${ARN}${TIER}`,
      Status: 'Default',
    };
    expect(await w.ok('GetServiceSetting', { SettingId })).toEqual({ ServiceSetting: initial });
    expect(await w.ok('UpdateServiceSetting', { SettingId, SettingValue: 'advanced' })).toEqual({});
    expect(await w.ok('GetServiceSetting', { SettingId })).toEqual({
      ServiceSetting: {
        ...initial,
        SettingValue: 'advanced',
        LastModifiedDate: Date.UTC(2026, 0, 1) / 1000,
        LastModifiedUser: jane.arn,
        Status: 'Customized',
      },
    });
    expect(await w.ok('ResetServiceSetting', { SettingId })).toEqual({ ServiceSetting: initial });
    expect(await w.ok('GetServiceSetting', { SettingId })).toEqual({ ServiceSetting: initial });
  });

  test('is shared by every service on the same store, and changed again', async () => {
    const store = memoryStore();
    const one = world({ store });
    const other = world({ store });
    for (const SettingValue of ['standard', 'advanced', 'standard']) {
      await one.ok('UpdateServiceSetting', { SettingId: TIER, SettingValue });
      expect((await other.ok('GetServiceSetting', { SettingId: TIER })).ServiceSetting).toMatchObject({
        SettingValue,
      });
    }
  });

  test.each([
    '/ssm/automation/customer-script-log-destination',
    'constructor',
    `${ARN}/none`,
    `${ARN.replace('1111', '2222')}${TIER}`,
  ])('%s is not there', async (SettingId) => {
    const w = world();
    for (const operation of ['GetServiceSetting', 'UpdateServiceSetting', 'ResetServiceSetting']) {
      const { status, body } = await w.call(operation, { SettingId, SettingValue: 'x' });
      expect([status, body.__type, body.message]).toEqual([
        400,
        'ServiceSettingNotFound',
        "The specified service setting wasn't found. Either the service name or the setting hasn't been provisioned by the Amazon Web Services service team.",
      ]);
    }
  });

  test.each([
    [TIER, 'gold', 'enum value set: [standard, advanced]'],
    [ROLE, 'a role', 'regular expression pattern: ^[\\w+=,.@/-]*[\\w+=,.@-]$'],
  ])('%s cannot be %j', async (SettingId, SettingValue, constraint) => {
    const { body } = await world().call('UpdateServiceSetting', { SettingId, SettingValue });
    expect([body.__type, body.message]).toEqual([
      'ValidationException',
      `1 validation error detected: Value '${SettingValue}' at 'settingValue' failed to satisfy constraint: Member must satisfy ${constraint}`,
    ]);
  });

  test('is asked for by its ARN, and the role that it names must be one to pass on', async () => {
    const requests: AuthorizationRequest[] = [];
    let denied = '';
    const w = world({
      authorize: (request) => {
        requests.push(request);
        return request.action === denied
          ? { effect: 'ImplicitDeny', policyType: 'identity-based policy' }
          : { effect: 'Allow' };
      },
    });
    const SettingValue = 'service-role/Fleet';
    await w.ok('UpdateServiceSetting', { SettingId: ROLE, SettingValue });
    expect(requests.map(({ action, resource }) => [action, resource])).toEqual([
      ['ssm:UpdateServiceSetting', `${ARN}${ROLE}`],
      ['iam:PassRole', `arn:aws:iam::${ACCOUNT}:role/service-role/Fleet`],
    ]);
    for (denied of ['ssm:GetServiceSetting', 'ssm:UpdateServiceSetting', 'ssm:ResetServiceSetting']) {
      const { body } = await w.call(denied.slice(4), { SettingId: ROLE, SettingValue });
      expect(body.__type).toBe('AccessDeniedException');
    }
    denied = 'iam:PassRole';
    const { body } = await w.call('UpdateServiceSetting', { SettingId: ROLE, SettingValue: 'Other' });
    expect(body.__type).toBe('AccessDeniedException');
    expect((await w.ok('GetServiceSetting', { SettingId: ROLE })).ServiceSetting).toMatchObject({
      SettingValue,
    });
  });
});

describe('B4b: the tier of hybrid nodes', () => {
  test('B4b: in the standard tier no session starts on one, until it is advanced', async () => {
    const w = world({ activationTier: 'standard' });
    const node = await w.node();
    const { status, body } = await w.call('StartSession', { Target: NODE });
    expect([status, body.__type, body.message]).toEqual([
      400,
      'BadRequest',
      'Enable advanced-instances tier to use Session Manager with your on-premises instances',
    ]);
    expect(node.control.types).toEqual([]);
    await w.ok('UpdateServiceSetting', { SettingId: TIER, SettingValue: 'advanced' });
    await w.start();
  });

  test('B4b: a service of one’s own has the advanced tier, until somebody says otherwise', async () => {
    const w = world();
    await w.node();
    await w.start();
    await w.ok('UpdateServiceSetting', { SettingId: TIER, SettingValue: 'standard' });
    expect((await w.call('StartSession', { Target: NODE })).body.__type).toBe('BadRequest');
  });

  test('B4b: a node that is not connected is said to be just that', async () => {
    const w = world({ activationTier: 'standard' });
    expect((await w.call('StartSession', { Target: NODE })).body.__type).toBe('TargetNotConnected');
  });
});
