import type { Clock } from '../../src/base/clock.ts';
import type { RandomSource } from '../../src/base/random.ts';
import { MessageType } from '../../src/channel/constants.ts';
import { decodeMessage } from '../../src/channel/decode.ts';
import { encodeMessage } from '../../src/channel/encode.ts';
import { parseChannelClosed } from '../../src/channel/payload/channel-closed.ts';
import { formatOpenControlChannel } from '../../src/channel/payload/open-channel.ts';
import {
  formatAgentTaskComplete,
  parseAgentTaskAcknowledge,
  parseStartSessionTask,
} from '../../src/channel/payload/task.ts';
import type { Socket } from '../../src/core/socket.ts';
import { sha256Digest } from '../../src/crypto/digest.ts';
import type { Dice } from '../dice.ts';
import type { NodeApplication } from './application.ts';
import type { Calls } from './calls.ts';
import type { Course } from './course.ts';
import { wait } from './retry.ts';
import { StockWorker, type WorkerOutcome } from './stock-worker.ts';

export interface StockAgentOptions {
  readonly course: Course;
  readonly instanceId: string;
  readonly calls: Calls;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly dice: Dice;
  readonly application: (sessionId: string) => NodeApplication;
}

export interface UnacknowledgedReport {
  readonly sessionId: string;
  /** When the first report was made, and when it was given up. */
  readonly from: number;
  readonly to: number;
  /** Over one control channel all the while, as far as the agent knows. */
  readonly connected: boolean;
}

/** An agent like amazon-ssm-agent: its control channel, and a worker for each session (PROTOCOL.md sections 4 and 5). */
export class StockAgent {
  /** Ends that were reported three times without an acknowledge. */
  readonly unacknowledged: UnacknowledgedReport[] = [];
  readonly #options: StockAgentOptions;
  readonly #workers = new Map<string, StockWorker>();
  readonly #seen = new Set<string>();
  readonly #acknowledged = new Set<string>();
  #reports = 0;
  #socket: Socket | undefined;
  #stopped = false;

  constructor(options: StockAgentOptions) {
    this.#options = options;
  }

  get connected(): boolean {
    return this.#socket !== undefined;
  }

  /** Workers that run, and ends that are being reported. */
  get busy(): number {
    return this.#workers.size + this.#reports;
  }

  /** Keeps the control channel open, for ever. */
  async run(): Promise<void> {
    const { clock, dice } = this.#options;
    for (let delay = 0; !this.#stopped; ) {
      try {
        await this.#connect();
        return;
      } catch {
        delay = delay === 0 ? dice.whole(5000, 10_000) : Math.min(2 * delay, MAX_DELAY);
        await wait(clock, delay);
      }
    }
  }

  /** All its processes are gone. */
  stop(): void {
    this.#stopped = true;
    for (const worker of this.#workers.values()) worker.kill();
    this.#socket?.close();
  }

  async #connect(): Promise<void> {
    const { calls, random, instanceId, clock, dice } = this.#options;
    const path = `/v1/control-channel/${instanceId}`;
    const { token, said } = await calls.createChannel(path, {});
    if (token === undefined) throw new Error(said);
    const socket = await calls.connectSigned(`${path}?role=subscribe&stream=input`);
    if (this.#stopped) {
      socket.close();
      return;
    }
    const about = { agentVersion: '3.3.0.0', platformType: 'linux' };
    socket.send(formatOpenControlChannel({ requestId: random.uuid(), tokenValue: token, ...about }));
    this.#socket = socket;
    socket.handler = {
      message: (data) => {
        if (typeof data !== 'string') this.#receive(data);
      },
      closed: () => {
        this.#socket = undefined;
        if (!this.#stopped) void wait(clock, dice.fraction() * JITTER).then(() => this.run());
      },
    };
  }

  #receive(frame: Uint8Array): void {
    const { messageType, payload } = decodeMessage(frame, sha256Digest);
    if (messageType === MessageType.InteractiveShell) {
      const { sessionId } = parseStartSessionTask(payload);
      void this.#runSession(sessionId);
    } else if (messageType === MessageType.ChannelClosed) {
      this.#workers.get(parseChannelClosed(payload).sessionId)?.cancel();
    } else if (messageType === MessageType.AgentTaskAcknowledge) {
      this.#acknowledged.add(parseAgentTaskAcknowledge(payload).taskId);
    }
  }

  async #runSession(sessionId: string): Promise<void> {
    // The second start of a session is dropped without a word.
    if (this.#seen.has(sessionId) || this.#stopped) return;
    this.#seen.add(sessionId);
    const { application, ...others } = this.#options;
    const worker = new StockWorker({ ...others, sessionId, application: application(sessionId) });
    this.#workers.set(sessionId, worker);
    const outcome = await worker.run();
    this.#workers.delete(sessionId);
    this.#reports++;
    await this.#report(sessionId, outcome);
    this.#reports--;
  }

  /** Failures are told twice over, with different ids. */
  async #report(sessionId: string, outcome: WorkerOutcome): Promise<void> {
    const { clock } = this.#options;
    const from = clock.now();
    const socket = this.#socket;
    for (let retryNumber = 1; retryNumber <= MAX_REPORTS && !this.#stopped; retryNumber++) {
      this.#complete(sessionId, outcome, retryNumber);
      if (outcome.status === 'Failed') this.#complete(sessionId, outcome, retryNumber);
      await wait(clock, REPORT_INTERVAL);
      if (this.#acknowledged.has(sessionId)) return;
    }
    if (this.#stopped) return;
    const connected = socket !== undefined && this.#socket === socket;
    this.unacknowledged.push({ sessionId, from, to: clock.now(), connected });
  }

  /** Without a connection it is lost. */
  #complete(taskId: string, { status, output }: WorkerOutcome, retryNumber: number): void {
    const { clock, random, instanceId } = this.#options;
    const noLog = { s3Bucket: '', s3UrlSuffix: '', cwlGroup: '', cwlStream: '' };
    const payload = formatAgentTaskComplete({
      ...{ taskId, finalTaskStatus: status, instanceId, output, retryNumber },
      ...noLog,
    });
    const messageType = MessageType.AgentTaskComplete;
    this.#socket?.send(
      encodeMessage(
        { messageType, messageId: random.uuid(), createdDate: clock.now(), payload },
        sha256Digest,
      ),
    );
  }
}

/** Milliseconds. */
const JITTER = 2500;
const MAX_DELAY = 40 * 60_000;
const REPORT_INTERVAL = 1000;
const MAX_REPORTS = 3;
