import { describe, expect, test, vi } from 'vitest';
import { readArguments } from '../../src/node/plugin/arguments.ts';
import { endpointOf } from '../../src/node/plugin/client.ts';
import { runPlugin } from './plugin-world.ts';

// Each test waits for several programs to start.
vi.setConfig({ testTimeout: 60_000 });

const RESPONSE = {
  SessionId: 'jane-0123456789abcdef0',
  TokenValue: 'token-that-nobody-may-see',
  StreamUrl:
    'wss://ssmmessages.eu-central-1.amazonaws.com/v1/data-channel/jane?role=publish_subscribe&cell-number=A%2B',
};
const ACCESS = {
  sessionId: RESPONSE.SessionId,
  tokenValue: RESPONSE.TokenValue,
  streamUrl: RESPONSE.StreamUrl,
};
const json = JSON.stringify(RESPONSE);

describe('the arguments', () => {
  test('of an old CLI: the answer of StartSession, the region, the operation', () => {
    expect(readArguments([json, 'eu-central-1', 'StartSession'], {})).toEqual({
      type: 'start',
      request: {
        access: ACCESS,
        region: 'eu-central-1',
        profile: undefined,
        target: undefined,
        documentName: undefined,
        endpoint: undefined,
      },
    });
  });

  test('of the CLI: a profile, the request and the endpoint as well', () => {
    const request = JSON.stringify({ Target: 'i-0123456789abcdef0', DocumentName: 'AWS-StartSSHSession' });
    const endpoint = 'https://ssm.eu-central-1.amazonaws.com';
    expect(readArguments([json, 'eu-central-1', 'StartSession', 'work', request, endpoint], {})).toEqual({
      type: 'start',
      request: {
        access: ACCESS,
        region: 'eu-central-1',
        profile: 'work',
        target: 'i-0123456789abcdef0',
        documentName: 'AWS-StartSSHSession',
        endpoint,
      },
    });
  });

  test.each(['AWS_SSM_START_SESSION_RESPONSE', 'AWS_SSM_START_SESSION_RESPONSE_2'])(
    'of a new CLI: the name of the variable %s, which is then gone',
    (name) => {
      const environment: NodeJS.ProcessEnv = { [name]: json, OTHER: 'stays' };
      expect(readArguments([name, 'eu-central-1', 'StartSession', '', '{}', ''], environment)).toMatchObject({
        request: { access: ACCESS, profile: undefined, endpoint: undefined },
      });
      expect(environment).toEqual({ OTHER: 'stays' });
    },
  );

  test('of ECS: members in another letter case', () => {
    const session = JSON.stringify({ ...ACCESS, unknown: 1 });
    const request = JSON.stringify({ Target: 'ecs:cluster_task_runtime' });
    expect(readArguments([session, 'eu-central-1', 'StartSession', '', request, ''], {})).toMatchObject({
      request: { access: ACCESS, target: 'ecs:cluster_task_runtime' },
    });
  });

  test.each([
    ['no JSON', '{"TokenValue":"token-that-nobody-may-see"', 'is not a JSON object'],
    ['no object', '["token-that-nobody-may-see"]', 'is not a JSON object'],
    ['no session', JSON.stringify({ ...RESPONSE, SessionId: undefined }), 'has no SessionId'],
    ['no token', JSON.stringify({ ...RESPONSE, TokenValue: '' }), 'has no TokenValue'],
    ['a URL that is no text', JSON.stringify({ ...RESPONSE, StreamUrl: 7 }), 'has no StreamUrl'],
    ['a variable that is not set', 'AWS_SSM_START_SESSION_RESPONSE', 'is not set'],
  ])('with %s are refused, and nothing secret is told', (_, response, message) => {
    const read = () => readArguments([response, 'eu-central-1', 'StartSession'], {});
    expect(read).toThrow(message);
    expect(read).not.toThrow('token-that');
  });
});

describe('the endpoint', () => {
  const ofEcs = 'https://ecs.eu-central-1.amazonaws.com';
  const own = 'https://localhost:8443';

  test.each([
    ['is the one given', 'i-0123456789abcdef0', own, {}, own],
    ['is AWS’s own where none is given', 'i-0123456789abcdef0', undefined, {}, undefined],
    ['of ECS is none of sessions', 'ecs:blue_0123_4567', ofEcs, {}, undefined],
    ['of ECS gives way to the one set', 'ecs:blue_0123_4567', ofEcs, { AWS_ENDPOINT_URL_SSM: own }, own],
    ['that stands in for ECS does so for both', 'ecs:blue_0123_4567', own, {}, own],
  ])('%s', (_, target, endpoint, environment, expected) => {
    expect(endpointOf({ target, endpoint }, environment)).toBe(expected);
  });
});

// One process for each, as the CLI runs it.
describe('the program', () => {
  test('has a version that the CLI takes for one that reads the environment, and is installed', async () => {
    const version = runPlugin(['--version']);
    const installed = runPlugin([]);
    expect(await version.exited).toBe(0);
    expect(version.stdout.text).toMatch(/^\d+(\.\d+){3}\n$/);
    const [major, minor, build] = version.stdout.text.split('.').map(Number);
    expect([major, minor]).toEqual([1, 2]);
    expect(build).toBeGreaterThan(497);
    expect(await installed.exited).toBe(0);
    expect(installed.stdout.text).toBe(
      '\nThe Session Manager plugin was installed successfully. Use the AWS CLI to start a session.\n\n',
    );
    expect(version.stderr.text + installed.stderr.text).toBe('');
  });

  test.each([
    [
      ['help'],
      2,
      '\nUnknown operation help. \nUse session-manager-plugin --version to check the version.\n\n',
    ],
    [
      [json],
      2,
      '\nUnknown operation (not shown). \nUse session-manager-plugin --version to check the version.\n\n',
    ],
    [[json, 'eu-central-1', 'Sing'], 2, 'Invalid Operation\n'],
    [
      ['{}', 'eu-central-1', 'StartSession'],
      1,
      'Cannot perform start session: the answer of StartSession has no SessionId.\n',
    ],
  ])('says what is wrong with %j', async (args, status, text) => {
    const { stdout, stderr, exited } = runPlugin(args);
    expect(await exited).toBe(status);
    expect(stdout.text).toBe(text);
    expect(stderr.text).toBe('');
  });

  test('opens no connection in the clear to another machine', async () => {
    const response = JSON.stringify({ ...RESPONSE, StreamUrl: 'ws://192.0.2.1/v1/data-channel/jane' });
    const { stdout, stderr, exited } = runPlugin(
      [response, 'eu-central-1', 'StartSession', '', '{}', 'http://127.0.0.1:9'],
      {
        AWS_ACCESS_KEY_ID: 'AKIAUSER',
        AWS_SECRET_ACCESS_KEY: 'secret',
      },
    );
    expect(await exited).toBe(1);
    expect(stdout.text).toMatch(
      /^Cannot perform start session: ws: to 192\.0\.2\.1 would send .* in the clear/,
    );
    expect(stdout.text + stderr.text).not.toContain('token-that');
  });
});
