import { fromUtf8, utf8 } from '../../base/encoding.ts';
import { PayloadFlag } from '../constants.ts';
import { MessageError } from '../error.ts';
import { readInteger, readJson, writeJson } from './json.ts';

/** Character cells of the client's terminal. */
export interface TerminalSize {
  /** 1 to 65,535. */
  readonly cols: number;
  /** 1 to 65,535. */
  readonly rows: number;
}

/** What a pseudo-terminal can count: `struct winsize` has 16 bits for each side. */
const MAX_CELLS = 65_535;

export function isTerminalSize({ cols, rows }: TerminalSize): boolean {
  const fits = (cells: number) => Number.isInteger(cells) && cells >= 1 && cells <= MAX_CELLS;
  return fits(cols) && fits(rows);
}

/** `Size` payload: `{"cols":80,"rows":24}`. @throws {MessageError} */
export function parseSize(payload: Uint8Array): TerminalSize {
  const json = readJson(payload, 'Size');
  const size = { cols: readInteger(json, 'cols', 'Size', 1), rows: readInteger(json, 'rows', 'Size', 1) };
  if (!isTerminalSize(size))
    throw new MessageError('ERR_MESSAGE_PAYLOAD', `A terminal of ${size.cols} by ${size.rows} is too large.`);
  return size;
}

export function formatSize({ cols, rows }: TerminalSize): Uint8Array {
  return writeJson({ cols, rows });
}

/** `Flag` payload: 4 bytes, big endian. @throws {MessageError} for anything but the three known flags */
export function parseFlag(payload: Uint8Array): PayloadFlag {
  if (payload.length === 4 && payload[0] === 0 && payload[1] === 0 && payload[2] === 0) {
    for (const flag of Object.values(PayloadFlag)) if (flag === payload[3]) return flag;
  }
  throw new MessageError('ERR_MESSAGE_PAYLOAD', 'A Flag payload is 4 bytes with a value from 1 to 3.');
}

export function formatFlag(flag: PayloadFlag): Uint8Array {
  return Uint8Array.of(0, 0, 0, flag);
}

const EXIT_CODE = /^\s*EXIT_CODE: (-?\d{1,10})\s*$/;

/** `ExitCode` payload: the text `EXIT_CODE: 7` (PROTOCOL.md section 10). @throws {MessageError} */
export function parseExitCode(payload: Uint8Array): number {
  const match = payload.length <= 64 ? EXIT_CODE.exec(fromUtf8(payload)) : null;
  if (!match)
    throw new MessageError('ERR_MESSAGE_PAYLOAD', 'An ExitCode payload is the text "EXIT_CODE: n".');
  return Number(match[1]);
}

export function formatExitCode(exitCode: number): Uint8Array {
  return utf8(`EXIT_CODE: ${exitCode}`);
}
