/** What agents ask for when a session document has `{{ssm:name}}` (CONTROL-PLANE.md section 2.10). */
import { describe, expect, test } from 'vitest';
import type { AuthorizationRequest } from '../../src/policy/index.ts';
import type { StoredParameter } from '../../src/service/index.ts';
import { ACCOUNT, NODE, nodeCredentials, type WorldOptions, world } from './world.ts';

const ARN = `arn:aws:ssm:eu-central-1:${ACCOUNT}:parameter`;

function store(options: WorldOptions = {}) {
  const asked: unknown[] = [];
  const parameters = async (name: string, version: number | undefined) => {
    asked.push([name, version]);
    const found: Record<string, StoredParameter> = {
      '/logs/path': { value: '/var/log', version: version ?? 4, modifiedDate: 1_700_000_000_500 },
      names: { type: 'StringList', value: 'a,b' },
    };
    return Object.hasOwn(found, name) && version !== 9 ? found[name] : undefined;
  };
  return { w: world({ parameters, ...options }), asked };
}

describe('GetParameters', () => {
  test('answers the agent of a node, by name, version and ARN', async () => {
    const { w, asked } = store();
    const Names = [
      '/logs/path',
      '/logs/path:3',
      '/logs/path:9',
      `${ARN}/names`,
      `${ARN}/logs/path`,
      '/logs/path',
    ];
    const { status, body } = await w.call(
      'GetParameters',
      { Names, WithDecryption: true },
      nodeCredentials(NODE),
    );
    expect(status).toBe(200);
    const path = {
      Name: '/logs/path',
      Type: 'String',
      Value: '/var/log',
      Version: 4,
      LastModifiedDate: 1_700_000_000.5,
      ARN: `${ARN}/logs/path`,
      DataType: 'text',
    };
    const names = {
      Name: 'names',
      Type: 'StringList',
      Value: 'a,b',
      Version: 1,
      ARN: `${ARN}/names`,
      DataType: 'text',
    };
    expect(body).toEqual({
      Parameters: [path, { ...path, Version: 3, Selector: ':3' }, names, path],
      InvalidParameters: ['/logs/path:9'],
    });
    expect(asked).toEqual([
      ['/logs/path', undefined],
      ['/logs/path', 3],
      ['/logs/path', 9],
      ['names', undefined],
      ['/logs/path', undefined],
    ]);
  });

  test('does not look for what is no name, or is of another account', async () => {
    const { w, asked } = store();
    const Names = [
      'x y',
      '__proto__',
      'label:prod',
      ARN.replace(ACCOUNT, '444455556666'),
      '\u00e9',
      'names:0',
    ];
    const { Parameters, InvalidParameters } = await w.ok('GetParameters', { Names });
    expect(Parameters).toEqual([]);
    expect(InvalidParameters).toEqual(Names);
    expect(asked).toEqual([['__proto__', undefined]]);
  });

  test('is asked of the policies for each name, before any is looked for', async () => {
    const requests: AuthorizationRequest[] = [];
    const { w, asked } = store({
      authorize: (request) => {
        requests.push(request);
        return request.resource.endsWith('/names')
          ? { effect: 'ImplicitDeny', policyType: 'identity-based policy' }
          : { effect: 'Allow' };
      },
    });
    const { status, body } = await w.call('GetParameters', { Names: ['/logs/path', 'names'] });
    expect(status).toBe(400);
    expect(body.__type).toBe('AccessDeniedException');
    expect(body.message).toContain(`ssm:GetParameters on resource: ${ARN}/names`);
    expect(requests.map(({ resource }) => resource)).toEqual([`${ARN}/logs/path`, `${ARN}/names`]);
    expect(asked).toEqual([]);
  });

  test.each([[[]], [new Array(11).fill('names')], [['']]])('takes 1 to 10 names: not %j', async (Names) => {
    expect((await store().w.call('GetParameters', { Names })).body.__type).toBe('ValidationException');
  });

  test('is unknown to a service without parameters', async () => {
    const { body } = await world().call('GetParameters', { Names: ['names'] });
    expect(body.__type).toBe('UnknownOperationException');
  });
});
