import { concat, utf8 } from '../base/encoding.ts';
import { Sha256 } from '../crypto/sha256.ts';
import { encodeBase64Lines } from './base64-lines.ts';
import { blocksOf, chunksOf } from './chunks.ts';
import { broken, type CopyOptions, checkPath, countIn, expectLine } from './copy.ts';
import { type CopyAnswer, copyAnswers } from './copy-answers.ts';
import type { CopiedPart } from './copy-from.ts';
import { UPLOAD } from './copy-script.ts';
import { SessionError } from './errors.ts';
import type { Session, SessionOptions } from './session.ts';
import type { StartSessionInput } from './session-api.ts';
import { commandLine } from './shell-quote.ts';

/**
 * What to copy. A function is called for a stream from the beginning, a second time when what the node has of an
 * earlier try turns out to be something else. A stream by itself can be read once, so it always begins anew.
 */
export type CopySource = Uint8Array | Blob | CopyStream | (() => CopyStream);

export type CopyStream = ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

export interface CopyToOptions extends CopyOptions {
  /** Permission bits of the file, for example 0o644. Default: as the session's user makes files. */
  readonly mode?: number | undefined;
  /** Bytes, for the progress, where the source does not say. */
  readonly size?: number | undefined;
}

export interface CopiedFile {
  /** Of the whole file. */
  readonly bytes: number;
  /** Of the whole file, in lower-case hex; the node has found the same. */
  readonly sha256: string;
  /** Bytes that the node had from an earlier try. */
  readonly offset: number;
}

/** @param start starts a session in a terminal whose document runs the given command */
export async function copyTo(
  start: (input: Omit<StartSessionInput, 'target'>, options: SessionOptions) => Promise<Session>,
  path: string,
  source: CopySource,
  options: CopyToOptions,
): Promise<CopiedFile> {
  checkPath(path);
  const { documentName = DEFAULT_DOCUMENT, parameters, reason, onProgress, mode, size, ...others } = options;
  const { open, again, total = size } = readable(source);
  const command = commandLine(['sh', '-c', UPLOAD, 'sh', path, octal(mode), again ? 'resume' : '']);
  const session = await start({ documentName, reason, parameters: { ...parameters, command } }, others);
  const upload = new Upload(path, session);
  try {
    const { offset, hash, rest } = await afterPart(await upload.begin(), open);
    await upload.goOn(offset);
    let bytes = offset;
    for await (const block of blocksOf(rest, BLOCK_SIZE)) {
      hash.update(block);
      await upload.write(block);
      bytes += block.length;
      onProgress?.({ bytes, total });
    }
    const sha256 = hash.digest();
    await upload.finish(sha256);
    return { bytes, sha256, offset };
  } catch (error) {
    options.signal?.throwIfAborted();
    throw error;
  } finally {
    await session.terminate();
  }
}

const DEFAULT_DOCUMENT = 'AWS-StartInteractiveCommand';
/** Bytes between two acknowledges of the node: what a round trip costs is then little. A multiple of 3 times 19. */
const BLOCK_SIZE = 786_429;

/** The client's side of the script. */
class Upload {
  readonly #path: string;
  readonly #session: Session;
  readonly #answers: AsyncGenerator<CopyAnswer, void, void>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;

  constructor(path: string, session: Session) {
    this.#path = path;
    this.#session = session;
    this.#answers = copyAnswers(path, session.stdout);
    this.#writer = session.stdin.getWriter();
  }

  /** @returns what the node has of an earlier try */
  async begin(): Promise<CopiedPart> {
    const [bytes, sha256 = ''] = await this.#answer('part');
    return { bytes: countIn(this.#path, bytes), sha256 };
  }

  /** Does not wait: nothing answers. */
  async goOn(offset: number): Promise<void> {
    await this.#writer.write(utf8(offset > 0 ? 'c\n' : 't\n'));
  }

  async write(block: Uint8Array): Promise<void> {
    const text = encodeBase64Lines(block);
    await this.#ask(concat([utf8(`b ${text.length}\n`), text]), 'ack');
  }

  async finish(sha256: string): Promise<void> {
    await this.#ask(utf8(`e ${sha256}\n`), 'done');
  }

  /** An error may come while there is still something to write. */
  async #ask(bytes: Uint8Array, name: string): Promise<void> {
    const answer = this.#answer(name);
    const written = this.#writer.write(bytes);
    written.catch(() => {}); // the session is over, and the answer says how
    await answer;
  }

  async #answer(name: string): Promise<readonly string[]> {
    const { value, done } = await this.#answers.next();
    if (done) throw broken(this.#path, await this.#session.ended);
    return expectLine(this.#path, value, name);
  }
}

interface Readable {
  readonly open: () => CopyStream;
  /** Whether it can be opened again. */
  readonly again: boolean;
  /** Bytes, if it is known. */
  readonly total?: number;
}

function readable(source: CopySource): Readable {
  if (typeof source === 'function') return { open: source, again: true };
  if (source instanceof Uint8Array) return { open: () => once(source), again: true, total: source.length };
  if (source instanceof Blob) return { open: () => source.stream(), again: true, total: source.size };
  return { open: () => source, again: false };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield bytes;
}

/** The source after what the node has of it; all of it, if the node has something else. */
async function afterPart(part: CopiedPart, open: () => CopyStream) {
  if (part.bytes === 0) return { offset: 0, hash: new Sha256(), rest: chunksOf(open()) };
  const hash = new Sha256();
  const check = new Sha256();
  const chunks = chunksOf(open());
  let over: Uint8Array = new Uint8Array(0);
  let missing = part.bytes;
  while (missing > 0) {
    const { value, done } = await chunks.next();
    if (done) break;
    const known = value.subarray(0, missing);
    hash.update(known);
    check.update(known);
    missing -= known.length;
    over = value.subarray(known.length);
  }
  if (missing === 0 && check.digest() === part.sha256)
    return { offset: part.bytes, hash, rest: joined(over, chunks) };
  await chunks.return();
  return { offset: 0, hash: new Sha256(), rest: chunksOf(open()) };
}

async function* joined(
  first: Uint8Array,
  rest: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  yield first;
  yield* rest;
}

function octal(mode: number | undefined): string {
  if (mode === undefined) return '';
  if (Number.isInteger(mode) && mode >= 0 && mode <= 0o7777) return mode.toString(8).padStart(4, '0');
  throw new SessionError('ERR_SESSION_ARGUMENT', `A mode is from 0 to 0o7777, not ${mode}.`);
}
