import type { Clock } from '../../src/base/clock.ts';
import { deferred } from '../../src/base/deferred.ts';
import type { RandomSource } from '../../src/base/random.ts';
import { MessageType, PayloadType } from '../../src/channel/constants.ts';
import type { AgentMessage } from '../../src/channel/message.ts';
import { formatHandshakeComplete, formatHandshakeRequest } from '../../src/channel/payload/handshake.ts';
import { formatOpenDataChannel } from '../../src/channel/payload/open-channel.ts';
import { formatSessionState } from '../../src/channel/payload/session-state.ts';
import type { Socket } from '../../src/core/socket.ts';
import type { Dice } from '../dice.ts';
import type { NodeApplication } from './application.ts';
import type { Calls } from './calls.ts';
import type { Course } from './course.ts';
import { Pump } from './pump.ts';
import { retried, wait } from './retry.ts';
import { StockStream } from './stock-stream.ts';

export interface WorkerOptions {
  readonly course: Course;
  readonly sessionId: string;
  readonly instanceId: string;
  readonly calls: Calls;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly dice: Dice;
  readonly application: NodeApplication;
}

/** For `agent_task_complete`. */
export interface WorkerOutcome {
  readonly status: 'Success' | 'Failed';
  readonly output: string;
}

/** One session in an agent like amazon-ssm-agent: its worker process (PROTOCOL.md sections 5 to 7). */
export class StockWorker {
  readonly #options: WorkerOptions;
  readonly #stream: StockStream;
  readonly #output: Pump;
  readonly #cancelled = deferred<WorkerOutcome>();
  readonly #responded = deferred();
  #socket: Socket | undefined;
  /** `skipped` and `complete` take input, `waiting` acknowledges it and throws it away. */
  #handshake: 'waiting' | 'over' = 'over';
  #takesInputAt = Number.POSITIVE_INFINITY;
  #over = false;

  constructor(options: WorkerOptions) {
    const { clock, random, dice, course } = options;
    this.#options = options;
    this.#stream = new StockStream({
      ...{ side: 'agent', clock, random, dice, lateBuffer: course.lateBuffer },
      process: (message, early) => this.#process(message, early),
      other: ({ messageType }) => {
        if (messageType === MessageType.ChannelClosed) this.cancel();
      },
    });
    this.#output = new Pump(
      clock,
      () => !this.#stream.paused,
      (chunk) => this.#stream.send(PayloadType.Output, chunk),
    );
  }

  /** From `channel_closed`, on either channel. */
  cancel(): void {
    this.#cancelled.resolve({ status: 'Success', output: '' });
  }

  /** Never rejects. It waits for the end of the application, whatever becomes of the data channel. */
  async run(): Promise<WorkerOutcome> {
    const outcome = await this.#run();
    this.#over = true;
    this.#options.application.stop();
    this.#output.stop();
    this.#stream.stop();
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
    return outcome;
  }

  /** The machine is gone. */
  kill(): void {
    this.cancel();
  }

  async #run(): Promise<WorkerOutcome> {
    const { clock, dice, course, sessionId } = this.#options;
    await wait(clock, dice.whole(5, 60)); // the process starts
    if (!(await this.#open())) {
      return { status: 'Failed', output: `Setting up data channel with id ${sessionId} failed` };
    }
    this.#tellState('Connected');
    if (course.kind === 'port') {
      const failed = await this.#shakeHands();
      if (failed) return failed;
    }
    return Promise.race([this.#runApplication(), this.#cancelled.promise]);
  }

  async #runApplication(): Promise<WorkerOutcome> {
    const { clock, dice, course, application } = this.#options;
    const shell = course.kind !== 'port';
    const exited = deferred();
    this.#takesInputAt = clock.now() + dice.whole(0, 40);
    // A terminal's first output is held back for a second (PROTOCOL.md section 1.7).
    if (shell) await wait(clock, FIRST_OUTPUT);
    application.start((bytes) => this.#output.push(bytes), exited.resolve);
    await exited.promise;
    await this.#output.drained();
    await this.#waitForAcknowledges();
    if (shell) {
      this.#tellState('Terminating');
      await this.#waitForAcknowledges();
    }
    return { status: 'Success', output: '' };
  }

  /** For so long the last output has to arrive (PROTOCOL.md section 6, PEERS.md A12). */
  async #waitForAcknowledges(): Promise<void> {
    const { clock } = this.#options;
    for (let waited = 0; waited < LAST_WAIT && this.#stream.outstanding > 0; waited += 20)
      await wait(clock, 20);
  }

  /** @returns how it failed */
  async #shakeHands(): Promise<WorkerOutcome | undefined> {
    const { clock } = this.#options;
    const actionParameters = { SessionType: 'Port', Properties: { portNumber: '22' } };
    const action = { actionType: 'SessionType', actionParameters };
    this.#handshake = 'waiting';
    this.#stream.send(
      PayloadType.HandshakeRequest,
      formatHandshakeRequest({ agentVersion: '3.3.0.0', requestedClientActions: [action] }),
    );
    const timedOut = wait(clock, HANDSHAKE_TIMEOUT).then(() => HANDSHAKE_FAILED);
    const failed = await Promise.race([this.#responded.promise, this.#cancelled.promise, timedOut]);
    if (failed) return failed;
    this.#handshake = 'over';
    this.#stream.send(
      PayloadType.HandshakeComplete,
      formatHandshakeComplete({ handshakeTimeToComplete: 1, customerMessage: '' }),
    );
    return undefined;
  }

  /** @returns whether there is a data channel */
  #open(): Promise<boolean> {
    const { clock, dice, calls, random, sessionId, instanceId } = this.#options;
    const path = `/v1/data-channel/${encodeURIComponent(sessionId)}`;
    return retried(clock, dice, async () => {
      // What one round of its hot loop takes on a quick network (PROTOCOL.md section 1.8).
      await wait(clock, ROUND);
      if (this.#over) return 'done';
      try {
        const { token, said } = await calls.createChannel(path, { ClientId: '' });
        if (said.includes('Session is already terminated')) return 'never';
        if (token === undefined) return 'again';
        const socket = await calls.connectSigned(`${path}?role=publish_subscribe`);
        const open = {
          requestId: random.uuid(),
          tokenValue: token,
          clientId: '',
          clientInstanceId: instanceId,
        };
        socket.send(formatOpenDataChannel(open));
        this.#use(socket);
        return 'done';
      } catch {
        return 'again';
      }
    });
  }

  #use(socket: Socket): void {
    if (this.#over) {
      socket.close();
      return;
    }
    this.#socket = socket;
    this.#stream.connect(socket);
    socket.handler = {
      message: (data) => {
        if (this.#socket === socket && typeof data !== 'string') this.#stream.receive(data);
      },
      closed: () => {
        if (this.#socket !== socket) return;
        this.#socket = undefined;
        this.#stream.disconnect();
        // When that fails, the worker stays, without a data channel.
        if (!this.#over) void this.#open();
      },
    };
  }

  #process({ payloadType, payload }: AgentMessage, early: boolean): boolean {
    const { application, clock } = this.#options;
    if (payloadType === PayloadType.HandshakeResponse) this.#responded.resolve();
    else if (this.#handshake === 'waiting') return true;
    else if (clock.now() < this.#takesInputAt && !early) return false;
    else if (payloadType === PayloadType.Output) application.take(payload);
    return true;
  }

  #tellState(sessionState: string): void {
    const { sessionId } = this.#options;
    this.#stream.tell(MessageType.AgentSessionState, formatSessionState({ sessionState, sessionId }));
  }
}

/** Milliseconds. */
const ROUND = 10;
const FIRST_OUTPUT = 1000;
const LAST_WAIT = 2000;
const HANDSHAKE_TIMEOUT = 15_000;

const HANDSHAKE_FAILED: WorkerOutcome = {
  status: 'Failed',
  output:
    'Handshake timed out. Please ensure that you have the latest version of the session manager plugin.',
};
