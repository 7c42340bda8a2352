import { Sha256 } from '../crypto/sha256.ts';
import { type CopyOptions, checkPath, countIn, expectLine } from './copy.ts';
import { type CopyAnswer, copyAnswers } from './copy-answers.ts';
import { CopyError } from './copy-error.ts';
import { DOWNLOAD } from './copy-script.ts';
import type { ExecOptions, Execution } from './exec.ts';
import { ExecError } from './exec-error.ts';

export interface CopyFromOptions extends CopyOptions {
  /** What is here already from an earlier try. It is used if the file begins with it. */
  readonly resume?: CopiedPart | undefined;
}

export interface CopiedPart {
  /** Bytes. */
  readonly bytes: number;
  /** Of these bytes, in lower-case hex. */
  readonly sha256: string;
}

/** A file of a node, on its way here. */
export interface RemoteFile {
  /** Bytes of the whole file. */
  readonly size: number;
  /** Where the stream begins: after the bytes of `resume`, or 0. */
  readonly offset: number;
  /**
   * The file from the offset on. Ends when all has come and its SHA-256 is right, and fails with {@link CopyError}
   * otherwise. Cancel it when you do not want it all.
   */
  readonly stream: ReadableStream<Uint8Array>;
}

/** @param exec starts a program on the node */
export async function copyFrom(
  exec: (command: readonly string[], options: ExecOptions) => Execution,
  path: string,
  options: CopyFromOptions,
): Promise<RemoteFile> {
  checkPath(path);
  const { resume = { bytes: 0, sha256: '-' }, onProgress, signal, ...others } = options;
  const abort = new AbortController();
  const release = follow(signal, abort);
  const command = ['sh', '-c', DOWNLOAD, 'sh', path, `${resume.bytes}`, resume.sha256];
  const execution = exec(command, { ...others, signal: abort.signal });
  const answers = copyAnswers(path, execution.stdout);
  const stop = (error: unknown) => {
    release();
    abort.abort(error);
  };
  try {
    const [size, offset] = expectLine(path, await next(path, answers), 'size').map((word) =>
      countIn(path, word),
    );
    if (size === undefined || (offset !== 0 && offset !== resume.bytes)) throw outOfTurn(path);
    const file = { size, offset };
    return { ...file, stream: contents(path, file, answers, onProgress, stop) };
  } catch (error) {
    stop(error);
    throw error;
  }
}

function contents(
  path: string,
  { size, offset }: { readonly size: number; readonly offset: number },
  answers: AsyncGenerator<CopyAnswer, void, void>,
  onProgress: CopyOptions['onProgress'],
  stop: (error: unknown) => void,
): ReadableStream<Uint8Array> {
  const hash = new Sha256();
  let bytes = offset;
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
    const answer = await next(path, answers);
    if (answer instanceof Uint8Array) {
      bytes += answer.length;
      if (bytes > size) throw changed(path);
      hash.update(answer);
      controller.enqueue(answer);
      onProgress?.({ bytes, total: size });
      return;
    }
    const [sum] = expectLine(path, answer, 'sum');
    if (bytes !== size || sum !== hash.digest()) throw changed(path);
    controller.close();
    stop(undefined);
  };
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          await pull(controller);
        } catch (error) {
          stop(error);
          throw error;
        }
      },
      cancel: stop,
    },
    { highWaterMark: 0 },
  );
}

async function next(path: string, answers: AsyncGenerator<CopyAnswer, void, void>): Promise<CopyAnswer> {
  try {
    const { value, done } = await answers.next();
    if (!done) return value;
  } catch (error) {
    if (error instanceof ExecError)
      throw new CopyError('ERR_COPY_SESSION', path, error.message, { cause: error });
    throw error;
  }
  throw new CopyError('ERR_COPY_SESSION', path, 'the session ended before all was there.');
}

/** @returns a function that stops the following */
function follow(signal: AbortSignal | undefined, abort: AbortController): () => void {
  const fire = () => abort.abort(signal?.reason);
  if (signal?.aborted) fire();
  signal?.addEventListener('abort', fire);
  return () => signal?.removeEventListener('abort', fire);
}

function changed(path: string): CopyError {
  return new CopyError(
    'ERR_COPY_DIGEST',
    path,
    'what came does not have the size and the SHA-256 that the node has. Perhaps it was written to meanwhile; try again.',
  );
}

function outOfTurn(path: string): CopyError {
  return new CopyError('ERR_COPY_FAILED', path, 'the node answered out of turn.');
}
