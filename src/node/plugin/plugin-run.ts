import { PayloadFlag } from '../../channel/constants.ts';
import type { ReadyEvent } from '../../channel/events.ts';
import type { Session } from '../../core/session.ts';
import type { SessionEnd } from '../../core/session-end.ts';
import { leave } from '../leave.ts';
import type { PluginRequest } from './arguments.ts';
import { openSession, pluginClient } from './client.ts';
import { commandSession, terminalSession } from './command-session.ts';
import { isSet, type PluginConsole, type PluginStreams } from './console.ts';
import { exitStatus, tellEnd } from './end.ts';
import { PluginError } from './error.ts';
import { type LocalPort, portSession } from './port-session.ts';
import { onSignals, statusOf } from './signals.ts';
import { streamSession } from './stream-session.ts';
import { tellConnection } from './tell-connection.ts';

/** One session, from its opening to its end. */
export class PluginRun {
  readonly #request: PluginRequest;
  readonly #console: PluginConsole;
  readonly #streams: PluginStreams;
  readonly #environment: NodeJS.ProcessEnv;
  /** Ends the session whatever it is doing. */
  readonly #abort = new AbortController();
  #session: Session | undefined;
  #killedBy: NodeJS.Signals | undefined;
  #closing = false;

  constructor(
    request: PluginRequest,
    console: PluginConsole,
    streams: PluginStreams,
    environment: NodeJS.ProcessEnv,
  ) {
    this.#request = request;
    this.#console = console;
    this.#streams = streams;
    this.#environment = environment;
    if (request.documentName === SSH_DOCUMENT) console.hush();
  }

  async run(): Promise<number> {
    const stopKills = onSignals(['SIGTERM', 'SIGHUP'], this.#kill);
    // Until the session is there, these mean this program.
    const stopInterrupts = onSignals(['SIGINT', 'SIGQUIT'], this.#kill);
    try {
      const client = pluginClient(this.#request, this.#environment);
      const session = await openSession(client, this.#request, this.#abort.signal);
      this.#session = session;
      tellConnection(session, this.#console, (reason) => this.#abort.abort(reason));
      const ready = await session.ready.catch(() => undefined);
      stopInterrupts();
      return await this.#join(session, ready);
    } catch (error) {
      if (this.#killedBy) return statusOf(this.#killedBy);
      void this.#session?.terminate();
      throw error;
    } finally {
      await this.#session?.ended;
      stopInterrupts();
      stopKills();
    }
  }

  /** The second one does not wait for the service. */
  readonly #kill = (signal: NodeJS.Signals) => {
    if (this.#killedBy) leave(statusOf(signal));
    this.#killedBy = signal;
    if (this.#session) void this.#session.terminate();
    else this.#abort.abort(new PluginError('start', `${signal} came before the session was there.`));
  };

  async #join(session: Session, ready: ReadyEvent | undefined): Promise<number> {
    const kind = kindOf(ready);
    if (kind === 'stream') this.#console.hush();
    this.#console.notice(`\nStarting session with SessionId: ${session.sessionId}\n`);
    const { customerMessage, properties } = ready?.handshake ?? {};
    if (customerMessage) this.#console.notice(`${customerMessage}\n`);
    const end = ready ? await this.#attach(session, kind, properties) : await session.ended;
    tellEnd(this.#console, session.sessionId, end, ready !== undefined);
    if (this.#killedBy) return statusOf(this.#killedBy);
    if (end.reason === 'CommandExited' && isSet(this.#environment.HAWSER_EXIT_ZERO)) return 0;
    return exitStatus(end, kind === 'port' || kind === 'stream');
  }

  async #attach(session: Session, kind: SessionKind, properties: unknown): Promise<SessionEnd> {
    const streams = this.#streams;
    if (kind === 'terminal') return terminalSession(session, streams);
    if (kind === 'command') return commandSession(session, streams, this.#console);
    const stop = onSignals(['SIGINT', 'SIGQUIT', 'SIGTSTP'], () => this.#close(session));
    try {
      if (kind === 'stream') return await streamSession(session, streams);
      return await portSession(session, (properties ?? {}) as LocalPort, this.#console, this.#environment);
    } finally {
      stop();
    }
  }

  /**
   * What ends a port session in good order; the flag is quicker than the call, and needs no credentials. The second time
   * does not wait for either.
   */
  #close(session: Session): void {
    if (this.#closing) leave(statusOf('SIGINT'));
    this.#closing = true;
    this.#console.notice('Terminate signal received, exiting.\n');
    session.sendFlag(PayloadFlag.TerminateSession);
    void session.terminate();
  }
}

type SessionKind =
  /** Shells and interactive commands. */
  | 'terminal'
  /** Non-interactive commands. */
  | 'command'
  /** A port of this machine. */
  | 'port'
  /** The standard streams as one connection. */
  | 'stream';

/** The agent says; one that does not is an old one with a shell (PROTOCOL.md section 1.2). */
function kindOf(ready: ReadyEvent | undefined): SessionKind {
  const { sessionType, properties } = ready?.handshake ?? {};
  if (sessionType === 'NonInteractiveCommands') return 'command';
  if (sessionType !== 'Port') return 'terminal';
  const { type } = (properties ?? {}) as { type?: unknown };
  return type === 'LocalPortForwarding' ? 'port' : 'stream';
}

const SSH_DOCUMENT = 'AWS-StartSSHSession';
