/** Preferences by the calls of the API (CONTROL-PLANE.md sections 2.6 and 3.5). */
import { describe, expect, test } from 'vitest';
import { connected, JANE, jane, NODE, type World, type WorldOptions, world } from './world.ts';

const NAME = 'SSM-SessionManagerRunShell';
const MINUTE = 60_000;

const contentOf = (inputs: object, members: object = {}) =>
  JSON.stringify({ schemaVersion: '1.0', sessionType: 'Standard_Stream', inputs, ...members });

async function prefer(w: World, inputs: object, members: object = {}): Promise<void> {
  const Content = contentOf(inputs, members);
  const created = await w.call('CreateDocument', { Name: NAME, Content, DocumentType: 'Session' });
  if (created.status !== 200) await w.ok('UpdateDocument', { Name: NAME, Content });
}

/** What the agent is sent for the start of a session. */
async function sent(w: World, input: object = {}) {
  const node = await w.node();
  await w.start(input);
  return JSON.parse(node.control.json('interactive_shell').at(-1)?.Content as string) as {
    DocumentContent: { inputs: Record<string, unknown> };
    RunAsUser: string;
  };
}

function tagged(user: string): WorldOptions {
  const principal = { ...jane, tags: new Map([['SSMSessionRunAs', user]]) };
  return { callers: [{ ...JANE, principal }] };
}

describe('preferences that the account makes', () => {
  test('hold from then on, and an update acts at once', async () => {
    const w = world();
    expect((await sent(w)).DocumentContent.inputs).toMatchObject({ runAsEnabled: false, kmsKeyId: '' });
    await prefer(w, { s3BucketName: 'logs' });
    expect((await sent(w)).DocumentContent.inputs).toEqual({ s3BucketName: 'logs' });
    await prefer(w, { s3BucketName: 'other' });
    expect((await sent(w)).DocumentContent.inputs).toEqual({ s3BucketName: 'other' });
    const { Document } = await w.ok('DescribeDocument', { Name: NAME });
    expect(Document).toMatchObject({ LatestVersion: '2', DefaultVersion: '2' });
  });

  test('reach documents without inputs, and leave those alone that have some', async () => {
    const w = world();
    await prefer(
      w,
      { kmsKeyId: 'alias/sessions', idleSessionTimeout: '{{ idle }}' },
      {
        parameters: { idle: { type: 'String', default: '7' } },
      },
    );
    const { DocumentContent } = await sent(w, { DocumentName: 'AWS-StartPortForwardingSession' });
    expect(DocumentContent.inputs).toEqual({ kmsKeyId: 'alias/sessions', idleSessionTimeout: '7' });
    const Content = contentOf({ kmsKeyId: '' });
    await w.ok('CreateDocument', { Name: 'Acme-Plain', Content, DocumentType: 'Session' });
    expect((await sent(w, { DocumentName: 'Acme-Plain' })).DocumentContent.inputs).toEqual({ kmsKeyId: '' });
  });

  test('are gone again when the document is deleted', async () => {
    const w = world();
    await prefer(w, { s3BucketName: 'logs' });
    await w.ok('DeleteDocument', { Name: NAME });
    expect((await sent(w)).DocumentContent.inputs).toMatchObject({ s3BucketName: '' });
  });

  test.each([
    ['1', 1],
    [60, 60],
    ['', 20],
  ])('an idle timeout of %j ends sessions after %i minutes', async (idleSessionTimeout, minutes) => {
    const w = world();
    await prefer(w, { idleSessionTimeout });
    const { session } = await connected(w);
    await w.clock.advance(minutes * MINUTE - 1000);
    expect(await w.status(session.SessionId)).toMatchObject({ Status: 'Connected' });
    await w.clock.advance(2500);
    expect((await w.status(session.SessionId))?.Status).toMatch(/^Terminat/);
  });

  test.each([
    ['1', 1],
    [1440, 1440],
  ])(
    'a maximum duration of %j minutes ends them however busy, and is listed',
    async (maxSessionDuration, minutes) => {
      const w = world();
      await prefer(w, { maxSessionDuration, idleSessionTimeout: 60 });
      const { session, agent } = await connected(w);
      expect(await w.status(session.SessionId)).toMatchObject({ MaxSessionDuration: `${minutes}` });
      for (let minute = 1; minute < minutes; minute += 30) {
        await agent.stream('output_stream_data', '.');
        await w.clock.advance(Math.min(30, minutes - minute) * MINUTE);
      }
      expect(await w.status(session.SessionId)).toMatchObject({ Status: 'Connected' });
      await w.clock.advance(MINUTE);
      expect((await w.status(session.SessionId))?.Status).toMatch(/^Terminat/);
    },
  );

  test.each([
    [{ idleSessionTimeout: '0' }, 'inputs.idleSessionTimeout must be 1 to 60 minutes, or empty'],
    [{ idleSessionTimeout: '61' }, 'inputs.idleSessionTimeout must be 1 to 60 minutes, or empty'],
    [{ maxSessionDuration: 1441 }, 'inputs.maxSessionDuration must be 1 to 1440 minutes, or empty'],
    [{ maxSessionDuration: '1h' }, 'inputs.maxSessionDuration must be 1 to 1440 minutes, or empty'],
    [{ runAsEnabled: 'yes' }, 'inputs.runAsEnabled must be a boolean'],
    [
      { cloudWatchStreamingEnabled: 'true' },
      'inputs.cloudWatchStreamingEnabled must be a boolean, not in a string',
    ],
    [{ shellProfile: { linux: 1 } }, 'inputs.shellProfile.linux must be a string'],
  ])('%j is refused', async (inputs, why) => {
    const Content = contentOf(inputs);
    const { status, body } = await world().call('CreateDocument', {
      Name: NAME,
      Content,
      DocumentType: 'Session',
    });
    expect([status, body.__type, body.message]).toEqual([
      400,
      'InvalidDocumentContent',
      `The session document "${NAME}" cannot be used: ${why}.`,
    ]);
  });
});

describe('the user of the operating system', () => {
  test('is the one that the caller’s tag names', async () => {
    const w = world(tagged('deploy'));
    await prefer(w, { runAsEnabled: true, runAsDefaultUser: 'nobody' });
    expect(await sent(w)).toMatchObject({
      RunAsUser: 'deploy',
      DocumentContent: { inputs: { runAsEnabled: true, runAsDefaultUser: 'nobody' } },
    });
  });

  test('is left to the preferences without the tag', async () => {
    const w = world();
    await prefer(w, { runAsEnabled: true, runAsDefaultUser: 'nobody' });
    expect((await sent(w)).RunAsUser).toBe('');
  });

  test('can come from a parameter', async () => {
    const w = world();
    await prefer(
      w,
      { runAsEnabled: '{{ on }}', runAsDefaultUser: '{{ user }}' },
      {
        parameters: { on: { type: 'String', default: 'true' }, user: { type: 'String', default: 'web$' } },
      },
    );
    expect((await sent(w)).RunAsUser).toBe('');
    const answer = await w.call('StartSession', { Target: NODE, Parameters: { user: ['$(reboot)'] } });
    expect([answer.body.__type, answer.body.message]).toEqual([
      'BadRequest',
      'The session cannot be started: runAsDefaultUser is no name of a user.',
    ]);
    await w.start({ Parameters: { user: ['$(reboot)'], on: ['false'] } });
  });

  test.each(['a;reboot', '-u root', 'a b', '$(id)', 'root\nreboot', '1st', 'x'.repeat(33)])(
    'is refused when the tag is %j, before it comes to a shell, and without run as not sent',
    async (user) => {
      const w = world(tagged(user));
      const node = await w.node();
      await w.start();
      const [task] = node.control.json('interactive_shell');
      expect(JSON.parse(task?.Content as string).RunAsUser).toBe('');
      await prefer(w, { runAsEnabled: 'true', runAsDefaultUser: 'nobody' });
      const { status, body } = await w.call('StartSession', { Target: NODE });
      expect([status, body.__type, body.message]).toEqual([
        400,
        'BadRequest',
        'The session cannot be started: the SSMSessionRunAs tag of the caller is no name of a user.',
      ]);
      expect(node.control.json('interactive_shell')).toHaveLength(1);
    },
  );
});

test('a session that is over says where its log is', async () => {
  const w = world();
  const { node, session } = await connected(w);
  expect(await w.status(session.SessionId)).toMatchObject({ OutputUrl: {} });
  await node.complete(session.SessionId, {
    S3Bucket: 'logs',
    S3UrlSuffix: 'team a/jane-1.log',
    CwlGroup: '/sessions',
    CwlStream: 'jane-1',
  });
  expect((await w.status(session.SessionId))?.OutputUrl).toEqual({
    S3OutputUrl: 'https://s3.eu-central-1.amazonaws.com/logs/team%20a/jane-1.log',
    CloudWatchOutputUrl:
      'https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1#logEventViewer:group=%2Fsessions;stream=jane-1',
  });
  const { SessionId } = await w.start();
  await node.complete(SessionId, { S3Bucket: 'x'.repeat(3000) });
  expect((await w.status(SessionId))?.OutputUrl).toEqual({});
});
