import { InvalidParametersError, type StartSessionOptions } from 'hawser';
import type { AgentSession } from 'hawser/agent';
import { expect, test } from 'vitest';
import { connectedWorld } from '../agent/world.ts';

const TAIL = {
  schemaVersion: '1.0',
  sessionType: 'InteractiveCommands',
  parameters: {
    unit: { type: 'String', allowedPattern: '[a-z-]+' },
    lines: { type: 'Integer', default: '100' },
  },
  properties: { linux: { commands: "journalctl -u '{{ unit }}' -n {{ lines }}" } },
} as const;

/** What the agent's handler was given, of each session that reached it. */
async function line() {
  const sessions: AgentSession[] = [];
  const handler = async (session: AgentSession) => {
    sessions.push(session);
    await session.handshake();
    return { exitCode: 0 };
  };
  const handlers = { InteractiveCommands: handler, NonInteractiveCommands: handler, Port: handler };
  const { clock, start } = await connectedWorld({ handlers, documents: { 'Acme-Tail': TAIL } });
  return {
    sessions,
    async start(options: Partial<StartSessionOptions>) {
      await start(options);
      await clock.advance(1000);
    },
  };
}

test('values go from the client into the properties at the agent', async () => {
  const { start, sessions } = await line();
  await start({ documentName: 'Acme-Tail', parameters: { unit: 'sshd' } });
  expect(sessions[0]).toMatchObject({
    parameters: { unit: 'sshd', lines: '100' },
    properties: { linux: { commands: "journalctl -u 'sshd' -n 100" } },
  });
});

test.each([
  ['AWS-StartInteractiveCommand', { command: 'a $$ b\nc' }, { linux: { commands: 'a $$ b\nc' } }],
  [
    'AWS-StartNonInteractiveCommand',
    { command: ['ls'] },
    { macos: { commands: 'ls', separateOutputStream: true } },
  ],
  [
    'AWS-StartPortForwardingSession',
    {},
    { portNumber: '80', type: 'LocalPortForwarding', localPortNumber: '0' },
  ],
  [
    'AWS-StartPortForwardingSessionToRemoteHost',
    { host: 'db.internal', portNumber: '5432' },
    { portNumber: '5432', type: 'LocalPortForwarding', localPortNumber: '0', host: 'db.internal' },
  ],
  [
    'AWS-StartPortForwardingSessionToSocket',
    { localUnixSocket: '/tmp/s' },
    {
      portNumber: '80',
      type: 'LocalPortForwarding',
      localUnixSocket: '/tmp/s',
      localConnectionType: 'unix',
    },
  ],
  ['AWS-StartSSHSession', {}, { portNumber: '22' }],
])('%s', async (documentName, parameters, properties) => {
  const { start, sessions } = await line();
  await start({ documentName, parameters });
  expect(sessions[0]?.properties).toMatchObject(properties);
});

test.each(["x'; reboot; '", 'x$(reboot)', 'x`reboot`', 'x\nreboot', '{{ lines }}', 'x" ', 'x\0'])(
  'a value that would leave its quotes, %j, reaches no node',
  async (unit) => {
    const { start, sessions } = await line();
    const refused = start({ documentName: 'Acme-Tail', parameters: { unit } });
    await expect(refused).rejects.toThrow(InvalidParametersError);
    await expect(refused).rejects.toMatchObject({
      code: 'ERR_PARAMETERS_INVALID',
      type: 'InvalidParameters',
    });
    expect(sessions).toEqual([]);
  },
);
