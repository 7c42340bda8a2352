import { expect, test } from 'vitest';
import type { SessionRecord, SessionStatus } from '../../src/service/index.ts';
import { expired } from '../../src/service/session-state.ts';

const NOW = 1000;

function session(status: SessionStatus, members: Partial<SessionRecord> = {}): SessionRecord {
  return {
    sessionId: 'jane-1',
    target: 'mi-1',
    owner: { arn: 'arn:aws:iam::111122223333:user/jane', userId: 'AIDAJANE' },
    documentName: 'SSM-SessionManagerRunShell',
    documentContent: { schemaVersion: '1.0', sessionType: 'Standard_Stream' },
    parameters: {},
    runAsUser: '',
    startDate: 0,
    idleTimeout: 1,
    status,
    client: {},
    agent: {},
    agentReady: true,
    clientEnded: false,
    completed: false,
    cancelled: false,
    ...members,
  };
}

test.each([
  ['ConnectTimeout', 'Connecting', 'Connected'],
  ['ResumeWindow', 'Disconnected', 'Connected'],
  ['grace', 'Terminating', 'Terminated'],
] as const)('a %s that fires as the session leaves %s does nothing', (reason, inTime, tooLate) => {
  expect(expired(session(inTime), reason, NOW)?.status).toMatch(/Terminat|Failed/);
  expect(expired(session(tooLate), reason, NOW)).toBeUndefined();
});

test('an agent that came back in time is not lost', () => {
  const away = session('Connected', { agent: { lostAt: 5 } });
  expect(expired(away, 'TargetDisconnected', NOW)).toMatchObject({ status: 'Failed', endDate: NOW });
  expect(expired(session('Connected'), 'TargetDisconnected', NOW)).toBeUndefined();
});
