import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { utf8 } from '../../src/base/encoding.ts';
import { decodeBase64Line, encodeBase64Lines } from '../../src/core/base64-lines.ts';
import { SessionClient } from '../../src/core/client.ts';
import type { CopySource, CopyToOptions } from '../../src/core/copy-to.ts';
import { Sha256 } from '../../src/crypto/sha256.ts';
import { FarEnd } from './far-end.ts';

const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };
const PATH = '/srv/file';

function sha256(bytes: Uint8Array): string {
  const hash = new Sha256();
  hash.update(bytes);
  return hash.digest();
}

function setUp() {
  const far = new FarEnd();
  const client = new SessionClient({ region: 'eu-central-1', credentials, platform: far.platform });
  return { far, clock: far.clock, client };
}

const command = ({ calls }: FarEnd) => calls.find(({ operation }) => operation === 'StartSession')!.input;
const ended = ({ calls }: FarEnd) => calls.some(({ operation }) => operation === 'TerminateSession');

test('base64 in lines is that of every other program, and comes back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      const text = Buffer.from(encodeBase64Lines(bytes)).toString();
      const lines = text.split('\n');
      expect(lines.pop()).toBe('');
      expect(lines.join('')).toBe(Buffer.from(bytes).toString('base64'));
      expect(lines.slice(0, -1).every(({ length }) => length === 76)).toBe(true);
      const back = new Uint8Array(600);
      const length = lines.reduce((at, line) => at + decodeBase64Line(utf8(line), back, at)!, 0);
      expect(back.subarray(0, length)).toEqual(bytes);
    }),
  );
  for (const wrong of ['abc', 'ab=c', 'a b=', '====', 'äbc', 'abcd=bcd'])
    expect(decodeBase64Line(utf8(wrong), new Uint8Array(99), 0)).toBeUndefined();
});

describe('copyFrom', () => {
  const BYTES = Uint8Array.from({ length: 300 }, (_, i) => i);

  /** A copy whose far side says this, in messages of `size` bytes. */
  async function answered(text: string, size = 1_000) {
    const { far, clock, client } = setUp();
    const copying = client.copyFrom('i-1', PATH);
    copying.catch(() => {});
    await clock.advance(100);
    for (let i = 0; i < text.length; i += size) {
      far.write(text.slice(i, i + size));
      await clock.advance(10);
    }
    return {
      far,
      clock,
      file: () => clock.runUntil(copying),
      bytes: async () => {
        const { stream } = await clock.runUntil(copying);
        const text = new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>);
        return new Uint8Array(await clock.runUntil<ArrayBuffer>(text.arrayBuffer()));
      },
    };
  }

  const body = Buffer.from(encodeBase64Lines(BYTES)).toString();
  const good = `.size 300 0\n${body}.sum ${sha256(BYTES)}\n`;

  test.each([1, 7, 1_000])('reads answers that come in pieces of %i bytes', async (size) => {
    const { far, bytes } = await answered(good, size);
    expect(await bytes()).toEqual(BYTES);
    expect(command(far)).toMatchObject({ DocumentName: 'AWS-StartNonInteractiveCommand' });
  });

  test('reads answers with the line ends of a terminal', async () => {
    const { bytes } = await answered(good.replaceAll('\n', '\r\n'));
    expect(await bytes()).toEqual(BYTES);
  });

  test.each([
    ['another digest', good.replace(/sum ..../, 'sum 0000'), 'ERR_COPY_DIGEST'],
    ['less than it said', good.replace('size 300', 'size 301'), 'ERR_COPY_DIGEST'],
    ['more than it said', good.replace('size 300', 'size 299'), 'ERR_COPY_DIGEST'],
    ['what is not base64', `.size 300 0\nsh: tail: not found\n`, 'ERR_COPY_FAILED'],
    ['a line without end', `.size 300 0\n${'A'.repeat(5_000)}`, 'ERR_COPY_FAILED'],
    ['a line out of turn', `.size 300 0\n.done\n`, 'ERR_COPY_FAILED'],
    ['an error', `.size 300 0\n.error full tee: No space left on device\n`, 'ERR_COPY_DISK_FULL'],
  ])('refuses %s, and ends the session', async (_, text, code) => {
    const { far, bytes } = await answered(text);
    await expect(bytes()).rejects.toMatchObject({ name: 'CopyError', code, path: PATH });
    expect(ended(far)).toBe(true);
  });

  test.each([
    '.size 300 17\n',
    '.size many 0\n',
    '.size 300\n',
    '.part 0 0\n',
    'QUJD\n',
    '.error\n',
    '.error constructor x\n',
  ])('refuses %j for a beginning', async (text) => {
    const { far, file } = await answered(text);
    await expect(file()).rejects.toMatchObject({ code: 'ERR_COPY_FAILED' });
    expect(ended(far)).toBe(true);
  });

  test('does not take an early end for the whole file', async () => {
    const { far, bytes } = await answered(`.size 300 0\n${body}`);
    far.endSession({});
    await expect(bytes()).rejects.toMatchObject({ code: 'ERR_COPY_SESSION' });
    const timedOut = await answered(`.size 300 0\n`);
    timedOut.far.endSession({ endReason: 'IdleTimeout' });
    await expect(timedOut.bytes()).rejects.toMatchObject({
      code: 'ERR_COPY_SESSION',
      cause: { code: 'ERR_EXEC_SESSION', reason: 'IdleTimeout' },
    });
  });

  test('an empty path is no path', async () => {
    const { client } = setUp();
    for (const path of ['', 'a\0b'])
      await expect(client.copyFrom('i-1', path)).rejects.toMatchObject({ code: 'ERR_SESSION_ARGUMENT' });
  });
});

describe('copyTo', () => {
  const NOTHING = sha256(new Uint8Array(0));

  async function started(source: CopySource, options?: CopyToOptions) {
    const { far, clock, client } = setUp();
    const copying = client.copyTo('i-1', PATH, source, options);
    copying.catch(() => {});
    await clock.advance(100);
    /** Says something, and waits for what the client answers. */
    const say = async (text: string) => {
      far.input = '';
      far.write(text);
      await clock.advance(2_000);
      return far.input;
    };
    return { far, clock, say, copied: () => clock.runUntil(copying) };
  }

  test('speaks its part: how to begin, blocks, the digest', async () => {
    const { far, say, copied } = await started(utf8('hello'), { mode: 0o640 });
    expect(command(far)).toMatchObject({ DocumentName: 'AWS-StartInteractiveCommand' });
    expect(far.input).toBe(''); // not before the terminal is made ready
    expect(await say(`.part 0 ${NOTHING}\n`)).toBe('t\nb 9\naGVsbG8=\n');
    expect(await say('.ack\n')).toBe(`e ${sha256(utf8('hello'))}\n`);
    far.write('.done\n');
    expect(await copied()).toEqual({ bytes: 5, sha256: sha256(utf8('hello')), offset: 0 });
    expect(ended(far)).toBe(true);
  });

  test('goes on after what the node has', async () => {
    const { say } = await started(utf8('hello'));
    expect(await say(`.part 2 ${sha256(utf8('he'))}\n`)).toBe('c\nb 5\nbGxv\n');
  });

  test('sends one block at a time, for the node may read ahead', async () => {
    const { far, say } = await started(new Uint8Array(2_000_000));
    const first = await say(`.part 0 ${NOTHING}\n`);
    expect(first.startsWith('t\nb 1062369\n')).toBe(true);
    await far.clock.advance(60_000);
    expect(far.input.length).toBe('t\nb 1062369\n'.length + 1_062_369);
  });

  test.each([
    ['.error full base64: write error: No space left on device\n', 'ERR_COPY_DISK_FULL'],
    ['.error permission\n', 'ERR_COPY_PERMISSION'],
    ['.done\n', 'ERR_COPY_FAILED'],
  ])('stops in the middle of a block at %j', async (text, code) => {
    const { far, say, copied } = await started(new Uint8Array(2_000_000));
    await say(`.part 0 ${NOTHING}\n`);
    far.write(text);
    await expect(copied()).rejects.toMatchObject({ name: 'CopyError', code, path: PATH });
    expect(ended(far)).toBe(true);
  });

  test('says how the session ended before the copy did', async () => {
    const { far, copied } = await started(utf8('hello'));
    far.endSession({ endReason: 'AgentFailure', output: 'There is no handler.' });
    await expect(copied()).rejects.toMatchObject({
      code: 'ERR_COPY_SESSION',
      message: expect.stringContaining('There is no handler.'),
    });
  });

  test('refuses a mode that is none', async () => {
    const { client } = setUp();
    for (const mode of [-1, 0o10000, 1.5])
      await expect(client.copyTo('i-1', PATH, utf8('x'), { mode })).rejects.toMatchObject({
        code: 'ERR_SESSION_ARGUMENT',
      });
  });
});
