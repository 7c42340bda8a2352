import { describe, expect, test } from 'vitest';
import { INSTANCE_ID } from '../node/world.ts';
import { cliWorld, missing } from './world.ts';

// A machine without the AWS CLI can try everything else; CI installs it.
describe.skipIf(missing)('aws ssm', { timeout: 60_000 }, () => {
  test('D2c: describes, resumes and terminates a session', async () => {
    const { call, client } = await cliWorld();
    const reason = 'ticket 4711';
    await using session = await client.startSession({ target: INSTANCE_ID, reason });
    const { sessionId } = session;
    await session.ready;

    const described = await call('ssm', 'describe-sessions', '--state', 'Active');
    expect(described.status).toBe(0);
    expect(JSON.parse(described.stdout).Sessions).toMatchObject([
      {
        SessionId: sessionId,
        Target: INSTANCE_ID,
        Status: 'Connected',
        Owner: 'arn:aws:iam::111122223333:user/tester',
        Reason: reason,
      },
    ]);

    const resumed = await call('ssm', 'resume-session', '--session-id', sessionId);
    expect(JSON.parse(resumed.stdout)).toEqual({
      SessionId: sessionId,
      TokenValue: expect.stringMatching(/^.{20,300}$/),
      StreamUrl: expect.stringMatching(
        new RegExp(`^wss://127\\.0\\.0\\.1:\\d+/v1/data-channel/${sessionId}\\?role=publish_subscribe$`),
      ),
    });

    const terminated = await call('ssm', 'terminate-session', '--session-id', sessionId);
    expect(JSON.parse(terminated.stdout)).toEqual({ SessionId: sessionId });
    expect(await session.ended).toMatchObject({ reason: 'UserTerminated' });

    // No token and no error: AWS's plugin takes an error for something to try again.
    const over = await call('ssm', 'resume-session', '--session-id', sessionId);
    expect(over.status).toBe(0);
    expect(JSON.parse(over.stdout)).toEqual({ SessionId: sessionId });
    const history = await call('ssm', 'describe-sessions', '--state', 'History');
    expect(JSON.parse(history.stdout).Sessions).toMatchObject([
      { SessionId: sessionId, Status: 'Terminated' },
    ]);
  });

  test('tells whether a node is connected', async () => {
    const { call } = await cliWorld();
    const status = (target: string) => call('ssm', 'get-connection-status', '--target', target);
    const there = JSON.parse((await status(INSTANCE_ID)).stdout);
    expect({ ...there, Status: there.Status.toLowerCase() }).toEqual({
      Target: INSTANCE_ID,
      Status: 'connected',
    });
    const nowhere = JSON.parse((await status('i-00000000000000000')).stdout);
    expect(nowhere.Status.toLowerCase()).toBe('notconnected');
  });

  test.each([
    [
      ['resume-session', '--session-id', 'tester-aaaaaaaaaaaaaaaaaaaaaaaaaa'],
      'An error occurred (DoesNotExistException) when calling the ResumeSession operation: ',
    ],
    [
      ['start-session', '--target', INSTANCE_ID, '--document-name', 'No-Such'],
      'An error occurred (InvalidDocument) when calling the StartSession operation: Document with name No-Such does not exist.',
    ],
    [
      [
        'start-session',
        '--target',
        INSTANCE_ID,
        '--document-name',
        'AWS-StartPortForwardingSession',
        '--parameters',
        'portNumber=99999',
      ],
      'An error occurred (InvalidParameters) when calling the StartSession operation: Parameter "portNumber" has value "99999" not matching "^(',
    ],
  ])('passes on what the service says to %j', async (words, text) => {
    const { call } = await cliWorld();
    const { status, stdout, stderr } = await call('ssm', ...words);
    expect(status).not.toBe(0);
    expect(stdout).toBe('');
    expect(stderr).toContain(text);
  });
});
