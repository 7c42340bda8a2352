import { describe, expect, test } from 'vitest';
import { splitWords } from '../../src/agent/split-words.ts';
import { concat, fromUtf8, utf8 } from '../../src/base/encoding.ts';
import { ExitMarker } from '../../src/core/exit-marker.ts';
import { seededRandom } from '../../src/testing/index.ts';

const make = () => new ExitMarker(seededRandom(1));
/** What the wrapped command prints last. */
const ID = seededRandom(1).uuid().replaceAll('-', '');
const marked = (status: number) => `hawser-exit-${ID}:${status};`;

function read(marker: ExitMarker, chunks: readonly Uint8Array[]): string {
  return fromUtf8(concat([...chunks.map((chunk) => marker.push(chunk)), marker.end()]));
}

describe('ExitMarker', () => {
  test('cuts the marker off and reads the status, wherever the chunks are cut', () => {
    const output = utf8(`line\n${marked(143)}`);
    for (let i = 0; i <= output.length; i++) {
      for (let j = i; j <= output.length; j++) {
        const marker = make();
        const chunks = [output.subarray(0, i), output.subarray(i, j), output.subarray(j)];
        expect(read(marker, chunks)).toBe('line\n');
        expect(marker.exitCode).toBe(143);
      }
    }
  });

  test('lets output of any kind through at once that is no marker', () => {
    const marker = make();
    expect(marker.push(Uint8Array.of(0, 255, 0x68))).toEqual(Uint8Array.of(0, 255)); // h: it may begin here
    expect(fromUtf8(marker.push(utf8('awser-exit is no marker')))).toBe('hawser-exit is no marker');
    expect(marker.exitCode).toBeUndefined();
  });

  test.each([
    'hawser-exit-',
    'hhawser-exit',
    marked(1).slice(0, -1),
    marked(1).replace('1;', 'x;'),
    marked(1).replace('1;', '1234;'),
    `hawser-exit-${'0'.repeat(32)}:1;`,
  ])('gives back %j, whatever the chunks', (output) => {
    const marker = make();
    const bytes = [...utf8(output)].map((byte) => Uint8Array.of(byte));
    expect(read(marker, bytes)).toBe(output);
    expect(read(make(), [utf8(output)])).toBe(output);
    expect(marker.exitCode).toBeUndefined();
  });

  test('keeps what a program in the background prints after it', () => {
    const marker = make();
    expect(read(marker, [utf8(`before${marked(0)}after`)])).toBe('beforeafter');
    expect(marker.exitCode).toBe(0);
  });

  test('does not have the marker in the command line', () => {
    const line = make().wrap('echo hi # note');
    expect(line).not.toContain(`hawser-exit-${ID}`);
    expect(splitWords(line).slice(-4)).toEqual(['sh', 'sh', '-c', 'echo hi # note']);
  });
});
