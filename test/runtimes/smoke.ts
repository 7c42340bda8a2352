import { attach, type Session, SessionClient } from 'hawser';
import { callbackKeyService, LocalKeyService } from 'hawser/kms';
import { defaultPlatform } from '../../src/core/runtime.ts';

/** What one session came to; `runtimes.test.ts` says what it should be. */
export interface SmokeResult {
  /** In the order in which they came. Of several tries to resume the session, only the first. */
  readonly events: readonly string[];
  /** What the command `greet` printed. */
  readonly greeting: string | undefined;
  /** Whether all lines of the command `count` came, once and in order, though its connection was cut. */
  readonly counted: boolean;
  readonly reason: string;
  readonly exitCode: number | undefined;
}

/** By the way in which the session was opened. */
export interface SmokeReport {
  readonly client: SmokeResult;
  readonly broker: SmokeResult;
  /** Of a client whose data key comes from a broker. */
  readonly encrypted: SmokeResult;
  /** What the runtime encrypts sessions with: OpenSSL's AES at once, WebCrypto's a little later. */
  readonly aesGcm: 'synchronous' | 'asynchronous';
  /** Whether a key service of its own works. */
  readonly localKeys: boolean;
}

/**
 * The program that every runtime runs: three sessions through the service at `url`, one signed by a client of
 * its own, one opened by a broker, one encrypted. Their outcome is posted to `/report`.
 */
export async function smoke(url: string): Promise<void> {
  let report: SmokeReport | { error: string };
  try {
    report = {
      client: await play(await started(url)),
      broker: await play(await brokered(url)),
      encrypted: await play(await encrypted(url)),
      aesGcm: await kindOfAesGcm(),
      localKeys: await localKeys(),
    };
  } catch (error) {
    report = { error: (error as Error).stack ?? String(error) };
  }
  await fetch(`${url}/report`, { method: 'POST', body: JSON.stringify(report) });
}

function started(url: string): Promise<Session> {
  return new SessionClient(clientOf(url)).startSession({ target });
}

/** docs/kms.md, "Brokers and browsers". */
function encrypted(url: string): Promise<Session> {
  const keyService = callbackKeyService({
    async generateDataKey(keyId, context) {
      const body = JSON.stringify({ keyId, context });
      const answer = await (await fetch(`${url}/data-keys`, { method: 'POST', body })).json();
      return { plaintext: bytesOf(answer.plaintext), ciphertext: bytesOf(answer.ciphertext) };
    },
  });
  const client = new SessionClient({ ...clientOf(url), keyService });
  return client.startSession({ target, documentName: 'Encrypted', requireEncryption: true });
}

const region = 'eu-central-1';
const target = 'mi-0123456789abcdef0';

function clientOf(endpoint: string) {
  const credentials = { accessKeyId: 'AKIAUSER', secretAccessKey: 'secret-of-the-user' };
  return { region, endpoint, credentials };
}

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

async function kindOfAesGcm(): Promise<SmokeReport['aesGcm']> {
  let returned = false;
  return new Promise((resolve) => {
    const key = defaultPlatform().aesGcm.importKey(new Uint8Array(32));
    key.seal(new Uint8Array(12), new Uint8Array(1), () => resolve(returned ? 'asynchronous' : 'synchronous'));
    returned = true;
  });
}

async function localKeys(): Promise<boolean> {
  const accountId = '111122223333';
  const keys = new LocalKeyService({ region, accountId });
  const { arn } = await keys.createKey();
  const jane = keys.as({ arn: `arn:aws:iam::${accountId}:user/jane`, accountId, userId: 'AIDAJANE' });
  const { plaintext, ciphertext } = await jane.generateDataKey(arn, { a: '1' });
  const again = await jane.decrypt(ciphertext, { a: '1' });
  const refused = await jane.decrypt(ciphertext, { a: '2' }).catch(({ code }) => code);
  return `${again}` === `${plaintext}` && refused === 'ERR_KEY_CIPHERTEXT';
}

/** docs/client.md, "A browser without credentials". */
async function brokered(url: string): Promise<Session> {
  const ask = async (path: string) => (await fetch(`${url}/broker/${path}`, { method: 'POST' })).json();
  const access = await ask('start');
  return attach(access, {
    allowedStreamHosts: [new URL(url).host],
    resume: () => ask(`resume/${access.sessionId}`),
    terminate: () => ask(`terminate/${access.sessionId}`),
  });
}

async function play(session: Session): Promise<SmokeResult> {
  const events: string[] = [];
  session.on('ready', () => events.push('ready'));
  session.on('reconnecting', ({ attempt }) => attempt === 1 && events.push('reconnecting'));
  session.on('resumed', () => events.push('resumed'));
  session.on('ended', () => events.push('ended'));
  const terminal = new Terminal(session);
  await terminal.until('$ ');
  await terminal.type('greet jané\n');
  const greeting = await terminal.until('$ ');
  await terminal.type('count\n');
  const numbers = await terminal.until('$ ');
  await terminal.type('exit 3\n');
  const { reason, exitCode } = await session.ended;
  return {
    events,
    greeting: /^hello .*(?=\r$)/m.exec(greeting)?.[0],
    counted: numbers === `count\r\n${Array.from({ length: COUNT }, (_, i) => `${i}\r\n`).join('')}$ `,
    reason,
    exitCode,
  };
}

/** Lines of the command `count`. */
export const COUNT = 4000;

class Terminal {
  readonly #decoder = new TextDecoder();
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<Uint8Array>;

  constructor({ stdin, stdout }: Session) {
    this.#input = stdin.getWriter();
    this.#output = stdout.getReader();
  }

  type(text: string): Promise<void> {
    return this.#input.write(new TextEncoder().encode(text));
  }

  /** What is shown from now on, through the first `text` that comes last; or all that there was. */
  async until(text: string): Promise<string> {
    let shown = '';
    while (!shown.endsWith(text)) {
      const { done, value } = await this.#output.read();
      if (done) break;
      shown += this.#decoder.decode(value, { stream: true });
    }
    return shown;
  }
}
