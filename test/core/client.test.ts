import { describe, expect, test } from 'vitest';
import { utf8 } from '../../src/base/encoding.ts';
import { attach } from '../../src/core/attach.ts';
import { SessionClient } from '../../src/core/client.ts';
import { access, FarEnd, SESSION_ID, STREAM_URL } from './far-end.ts';

const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };

function setUp() {
  const far = new FarEnd();
  const client = new SessionClient({ region: 'eu-central-1', credentials, platform: far.platform });
  return { far, client, clock: far.clock };
}

const refusal = (type: string) => () => Response.json({ __type: type }, { status: 400 });

describe('startSession', () => {
  test('asks for what was asked for', async () => {
    const { far, client, clock } = setUp();
    const session = await clock.runUntil(
      client.startSession({
        target: 'i-1',
        documentName: 'AWS-StartInteractiveCommand',
        parameters: { command: 'top', hosts: ['a', 'b'] },
        reason: 'ticket 7',
      }),
    );
    expect(session.sessionId).toBe(SESSION_ID);
    expect(far.calls[0]).toEqual({
      operation: 'StartSession',
      input: {
        Target: 'i-1',
        DocumentName: 'AWS-StartInteractiveCommand',
        Parameters: { command: ['top'], hosts: ['a', 'b'] },
        Reason: 'ticket 7',
      },
    });
    await clock.advance(100);
    expect(far.opened).toMatchObject([{ url: STREAM_URL, tokenValue: 'first-token' }]);
  });

  test('terminates a session whose channel cannot be opened', async () => {
    const { far, client, clock } = setUp();
    far.connectFault = new Error('no route');
    far.answers.TerminateSession = () => Response.json({});
    await expect(clock.runUntil(client.startSession({ target: 'i-1' }))).rejects.toBe(far.connectFault);
    expect(far.calls.at(-1)).toEqual({ operation: 'TerminateSession', input: { SessionId: SESSION_ID } });
  });

  test('tells of the first trouble when that cannot be terminated either', async () => {
    const { far, client, clock } = setUp();
    far.connectFault = new Error('no route');
    far.answers.TerminateSession = refusal('AccessDeniedException');
    await expect(clock.runUntil(client.startSession({ target: 'i-1' }))).rejects.toBe(far.connectFault);
  });

  test('does not send the token to a host nobody vouched for', async () => {
    const { far, client, clock } = setUp();
    far.answers.StartSession = () => Response.json({ ...access('t'), StreamUrl: 'wss://evil.example/' });
    far.answers.TerminateSession = () => Response.json({});
    await expect(clock.runUntil(client.startSession({ target: 'i-1' }))).rejects.toMatchObject({
      code: 'ERR_STREAM_URL_REFUSED',
    });
    expect(far.pairs).toHaveLength(0);
    expect(far.calls.at(-1)!.operation).toBe('TerminateSession');
  });

  test('aborted while the call is under way, terminates what comes of it', async () => {
    const { far, client, clock } = setUp();
    const controller = new AbortController();
    far.answers.StartSession = async () => {
      await new Promise<void>((resolve) => clock.schedule(1000, resolve));
      return Response.json(access('t'));
    };
    far.answers.TerminateSession = () => Response.json({});
    const started = client.startSession({ target: 'i-1', signal: controller.signal });
    const outcome = started.catch((error) => error);
    await clock.advance(100);
    controller.abort(new Error('changed my mind'));
    await clock.advance(0);
    expect(await outcome).toMatchObject({ message: 'changed my mind' });
    await clock.advance(2000);
    expect(far.calls.map(({ operation }) => operation)).toEqual(['StartSession', 'TerminateSession']);
    expect(far.pairs).toHaveLength(0);
  });

  test('gives up on a connection that does not open', async () => {
    const { far, clock } = setUp();
    far.answers.TerminateSession = () => Response.json({});
    const transport = { ...far.platform.transport, connect: () => new Promise<never>(() => {}) };
    const slow = new SessionClient({
      region: 'eu-central-1',
      credentials,
      platform: { ...far.platform, transport },
    });
    await expect(clock.runUntil(slow.startSession({ target: 'i-1' }))).rejects.toMatchObject({
      code: 'ERR_CONNECT_TIMEOUT',
    });
  });

  test('drops a connection that opens too late', async () => {
    const { far, client, clock } = setUp();
    far.answers.TerminateSession = () => Response.json({});
    const { connect } = far.platform.transport;
    far.platform.transport.connect = async (url) => {
      await new Promise<void>((resolve) => clock.schedule(20_000, resolve));
      return connect(url);
    };
    await expect(clock.runUntil(client.startSession({ target: 'i-1' }))).rejects.toThrow();
    await clock.advance(20_000);
    expect(far.pairs.map(({ open }) => open)).toEqual([false]);
    expect(far.opened).toEqual([]);
  });

  test('with options that cannot be leaves no session and no connection behind', async () => {
    const { far, client, clock } = setUp();
    far.answers.TerminateSession = () => Response.json({});
    const started = client.startSession({ target: 'i-1', payloadSize: 0 });
    await expect(clock.runUntil(started)).rejects.toBeInstanceOf(RangeError);
    await clock.advance(100);
    expect(far.calls.at(-1)!.operation).toBe('TerminateSession');
    expect(far.pairs.map(({ open }) => open)).toEqual([false]);
  });

  test('does not go ahead with half an answer', async () => {
    const { far, client, clock } = setUp();
    far.answers.StartSession = () => Response.json({ SessionId: 's' });
    await expect(clock.runUntil(client.startSession({ target: 'i-1' }))).rejects.toMatchObject({
      code: 'ERR_RESPONSE_UNREADABLE',
    });
  });
});

describe('resumeSession', () => {
  test('opens a new channel of a living session', async () => {
    const { far, client, clock } = setUp();
    const session = await clock.runUntil(client.resumeSession(SESSION_ID));
    const reader = session.stdout.getReader();
    await clock.advance(100);
    far.write('$ ');
    expect((await clock.runUntil(reader.read())).value).toEqual(utf8('$ '));
  });

  test.each([
    ['is over', () => Response.json({ SessionId: SESSION_ID })],
    ['does not exist', refusal('DoesNotExistException')],
  ])('says so when the session %s', async (_, answer) => {
    const { far, client, clock } = setUp();
    far.answers.ResumeSession = answer;
    await expect(clock.runUntil(client.resumeSession(SESSION_ID))).rejects.toMatchObject({
      code: 'ERR_SESSION_NOT_FOUND',
      message: expect.stringContaining('ResumeSession'),
    });
  });
});

describe('describeSessions', () => {
  test('walks through the pages as they are asked for', async () => {
    const { far, client, clock } = setUp();
    const pages = [
      { Sessions: [{ SessionId: 'a' }, { SessionId: 'b' }], NextToken: 'second' },
      { Sessions: [], NextToken: 'third' },
      {
        Sessions: [
          {
            SessionId: 'c',
            Target: 'i-1',
            Status: 'Terminated',
            StartDate: 1550676938.352,
            EndDate: 1550676939,
            DocumentName: 'Doc',
            Owner: 'arn:aws:iam::1:user/jane',
            Reason: 'why',
            OutputUrl: { S3OutputUrl: 's3://bucket' },
            MaxSessionDuration: '60',
          },
        ],
      },
    ];
    far.answers.DescribeSessions = () => Response.json(pages.shift());
    const sessions = client.describeSessions({
      state: 'History',
      maxResults: 2,
      filters: { target: 'i-1', invokedAfter: new Date(Date.UTC(2024, 7, 29)) },
    });
    const all: unknown[] = [];
    await clock.runUntil(
      (async () => {
        for await (const session of sessions) all.push(session);
      })(),
    );
    expect(all).toEqual([
      { sessionId: 'a' },
      { sessionId: 'b' },
      {
        sessionId: 'c',
        target: 'i-1',
        status: 'Terminated',
        startDate: new Date(1550676938352),
        endDate: new Date(1550676939000),
        documentName: 'Doc',
        owner: 'arn:aws:iam::1:user/jane',
        reason: 'why',
        outputUrl: { s3OutputUrl: 's3://bucket' },
        maxSessionDuration: 60,
      },
    ]);
    const asked = {
      State: 'History',
      MaxResults: 2,
      Filters: [
        { key: 'InvokedAfter', value: '2024-08-29T00:00:00Z' },
        { key: 'Target', value: 'i-1' },
      ],
    };
    expect(far.calls.map(({ input }) => input)).toEqual([
      asked,
      { ...asked, NextToken: 'second' },
      { ...asked, NextToken: 'third' },
    ]);
  });

  test('does not follow empty pages for ever', async () => {
    const { far, client, clock } = setUp();
    far.answers.DescribeSessions = () => Response.json({ Sessions: [], NextToken: 'again' });
    const next = client.describeSessions({ state: 'Active' })[Symbol.asyncIterator]().next();
    await expect(clock.runUntil(next)).rejects.toMatchObject({ code: 'ERR_RESPONSE_UNREADABLE' });
  });
});

test.each([
  ['connected', 'connected'],
  ['Connected', 'connected'],
  ['notconnected', 'notconnected'],
  ['NotConnected', 'notconnected'],
])('getConnectionStatus reads %s as %s', async (Status, status) => {
  const { far, client, clock } = setUp();
  far.answers.GetConnectionStatus = () => Response.json({ Target: 'i-1', Status });
  expect(await clock.runUntil(client.getConnectionStatus('i-1'))).toBe(status);
});

test('terminateSession names the session', async () => {
  const { far, client, clock } = setUp();
  far.answers.TerminateSession = () => Response.json({});
  await clock.runUntil(client.terminateSession(SESSION_ID));
  expect(far.calls).toEqual([{ operation: 'TerminateSession', input: { SessionId: SESSION_ID } }]);
});

describe('attach', () => {
  const given = { sessionId: SESSION_ID, streamUrl: STREAM_URL, tokenValue: 'from the broker' };

  test('needs no credentials and calls no API', async () => {
    const { far, clock } = setUp();
    const session = await clock.runUntil(attach(given, { platform: far.platform }));
    const reader = session.stdout.getReader();
    await clock.advance(100);
    far.write('$ ');
    expect((await clock.runUntil(reader.read())).value).toEqual(utf8('$ '));
    expect(far.opened[0]!.tokenValue).toBe('from the broker');
    far.cut();
    expect(await clock.runUntil(session.ended)).toMatchObject({ reason: 'ConnectionLost' });
    expect(far.calls).toEqual([]);
  });

  test('resumes and terminates through the broker', async () => {
    const { far, clock } = setUp();
    const asked: string[] = [];
    const session = await clock.runUntil(
      attach(given, {
        platform: far.platform,
        resume: async () => {
          asked.push('resume');
          return { tokenValue: 'a new one' };
        },
        terminate: async () => {
          asked.push('terminate');
          far.endSession({});
        },
      }),
    );
    await clock.advance(100);
    far.cut();
    await clock.advance(5000);
    expect(far.opened[1]).toMatchObject({ tokenValue: 'a new one', url: STREAM_URL });
    expect(await clock.runUntil(session.close())).toMatchObject({ reason: 'ClientEnded' });
    expect(asked).toEqual(['resume', 'terminate']);
  });

  test('survives a broker that throws at once, or never answers', async () => {
    const { far, clock } = setUp();
    let tries = 0;
    const session = await clock.runUntil(
      attach(given, {
        platform: far.platform,
        resume: () => {
          tries++;
          if (tries === 1) throw new Error('not a promise');
          if (tries === 2) return new Promise(() => {});
          return Promise.resolve({ tokenValue: 'third time lucky' });
        },
      }),
    );
    await clock.advance(100);
    far.cut();
    await clock.advance(60_000);
    expect(far.opened[1]).toMatchObject({ tokenValue: 'third time lucky' });
    expect(session.state).toBe('starting');
  });

  test('of a client resumes by its API', async () => {
    const { far, client, clock } = setUp();
    await clock.runUntil(client.attach(given));
    await clock.advance(100);
    far.cut();
    await clock.advance(5000);
    expect(far.calls).toEqual([{ operation: 'ResumeSession', input: { SessionId: SESSION_ID } }]);
    expect(far.opened[1]).toMatchObject({ tokenValue: 'token-1' });
  });
});
