import { Agent } from '../../agent/agent.ts';
import { portForwarding } from '../../agent/port/port-forwarding.ts';
import { roleCredentials } from '../../agent/role-credentials.ts';
import type { SessionHandler } from '../../agent/session.ts';
import { defaultIdentityDirectory, type Identity, openIdentity } from '../identity.ts';
import { interactiveCommands } from '../interactive-commands.ts';
import { machine } from '../machine.ts';
import { loadNodePty } from '../node-pty.ts';
import { nonInteractiveCommands } from '../non-interactive-commands.ts';
import { pipeShell } from '../pipe-shell.ts';
import { ptyShell } from '../pty-shell.ts';
import type { RunAsOptions } from '../session-user.ts';
import { tcpDialer } from '../tcp-dialer.ts';
import type { RunCommand } from './arguments.ts';
import { nodeKeyService } from './key-service.ts';
import { explain, oneLine } from './program-error.ts';
import type { ProgramStreams } from './streams.ts';

/** Runs the agent until a signal ends it. */
export async function run(command: RunCommand, { stderr }: ProgramStreams): Promise<number> {
  const { directory = defaultIdentityDirectory(), drain } = command;
  // Of `register`, and nothing for the programs of sessions.
  delete process.env.HAWSER_ACTIVATION_CODE;
  const log = (text: string) => stderr.write(`${new Date().toISOString()} ${oneLine(text)}\n`);
  const identity = await openIdentity(directory);
  try {
    const agent = await agentOf(identity, command, log);
    const ended = untilSignals(agent, drain, log);
    try {
      await agent.start();
    } catch (error) {
      if (!ended.asked()) throw error;
    }
    await ended.promise;
    log('stopped');
    return 0;
  } finally {
    await identity.close();
  }
}

type Log = (text: string) => void;

async function agentOf(identity: Identity, command: RunCommand, log: Log): Promise<Agent> {
  const { instanceId, location } = identity;
  const { ssmUser, kmsEndpoint, requireEncryption, requireKmsChallenge } = command;
  const options: RunAsOptions = { ssmUser };
  const onKeyRotation = (error: Error | undefined) =>
    log(error ? `key not replaced yet: ${explain(error)}` : 'key replaced');
  const credentials = roleCredentials({ ...location, identity, onKeyRotation });
  const agent = new Agent({
    ...location,
    instanceId,
    credentials,
    keyService: nodeKeyService(location, credentials, kmsEndpoint),
    requireEncryption,
    requireKmsChallenge,
    handlers: {
      Standard_Stream: await shell(options, log),
      InteractiveCommands: interactiveCommands(options),
      NonInteractiveCommands: nonInteractiveCommands(options),
      Port: portForwarding(tcpDialer()),
    },
    machine: await machine(),
    updateInstanceInformation: true,
  });
  agent.on('connected', () => log(`connected as ${instanceId}`));
  agent.on('disconnected', (error) => log(`disconnected: ${explain(error)}`));
  agent.on('sessionStarted', ({ sessionId, sessionType }) =>
    log(`session started: ${sessionId} (${sessionType})`),
  );
  agent.on('sessionEnded', ({ sessionId, outcome: { status, exitCode, error } }) => {
    const exit = exitCode === undefined ? '' : `, exit status ${exitCode}`;
    log(`session ended: ${sessionId} (${status}${exit})${error ? `: ${explain(error)}` : ''}`);
  });
  agent.on('sessionRefused', ({ sessionId, error }) =>
    log(`session refused: ${sessionId ?? 'one without an id'}: ${explain(error)}`),
  );
  agent.on('dropped', (error) => log(`message dropped: ${explain(error)}`));
  agent.on('reportFailed', (error) => log(`report failed: ${explain(error)}`));
  return agent;
}

/** Shells have terminals where there are any. */
async function shell(options: RunAsOptions, log: Log): Promise<SessionHandler> {
  try {
    await loadNodePty();
    return ptyShell(options);
  } catch (error) {
    log(`shells without terminals: ${explain(error)}`);
    return pipeShell(options);
  }
}

/** What service managers and people at a terminal end programs with. */
function untilSignals(agent: Agent, drain: number, log: Log) {
  let signals = 0;
  const promise = new Promise<void>((resolve, reject) => {
    const end = (signal: NodeJS.Signals) => {
      signals++;
      if (signals > 1) {
        log(`${signal} again: ending ${count(agent)}`);
        agent.stop().then(resolve, reject);
        return;
      }
      const wait = agent.sessionCount > 0 ? `, waiting for ${count(agent)} for ${drain / 1000} s` : '';
      log(`${signal}: stopping${wait}`);
      agent.drain(drain).then(resolve, reject);
    };
    // Node undoes `nohup`: without a handler, a terminal that is closed would cut all sessions off.
    process.on('SIGTERM', end).on('SIGINT', end).on('SIGHUP', end);
  });
  return { promise, asked: () => signals > 0 };
}

function count({ sessionCount }: Agent): string {
  return sessionCount === 1 ? '1 session' : `${sessionCount} sessions`;
}
