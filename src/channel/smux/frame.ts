import { SmuxError } from './error.ts';
import { MAX_RESET_PAYLOAD } from './reset.ts';

/** The commands of smux (xtaci/smux), and one of hawser's own. */
export const SmuxCommand = {
  Syn: 0,
  Fin: 1,
  Psh: 2,
  Nop: 3,
  /** Version 2: how much the reader has consumed, and its window. */
  Upd: 4,
  /** Version 2 between hawser's ends: ends a stream in both directions at once. Payload: JSON `{ code, message }`. */
  Rst: 5,
} as const;
export type SmuxCommand = (typeof SmuxCommand)[keyof typeof SmuxCommand];

/** version 1, command 1, length 2, stream id 4; the numbers are little endian (PROTOCOL.md section 9). */
export const SMUX_HEADER_LENGTH = 8;

/** Bytes of payload: all that the length can say. Real peers send up to 32,768. */
export const MAX_SMUX_PAYLOAD = 65_535;

/** Writes a header at `offset`. @returns where the payload begins */
export function writeSmuxHeader(
  target: Uint8Array,
  offset: number,
  version: number,
  command: SmuxCommand,
  length: number,
  streamId: number,
): number {
  target[offset] = version;
  target[offset + 1] = command;
  target[offset + 2] = length & 0xff;
  target[offset + 3] = length >>> 8;
  writeUint32(target, offset + 4, streamId);
  return offset + SMUX_HEADER_LENGTH;
}

export function writeUint32(target: Uint8Array, offset: number, value: number): void {
  target[offset] = value & 0xff;
  target[offset + 1] = (value >>> 8) & 0xff;
  target[offset + 2] = (value >>> 16) & 0xff;
  target[offset + 3] = (value >>> 24) & 0xff;
}

export function readUint32(source: Uint8Array, offset: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = source.subarray(offset, offset + 4);
  return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
}

export interface SmuxFrameHandler {
  /** A part of a PSH frame's payload; a view of what was read. */
  data(streamId: number, bytes: Uint8Array): void;
  /** Any other frame, whole. */
  control(command: SmuxCommand, streamId: number, payload: Uint8Array): void;
}

/**
 * Reads frames from a byte stream that is cut anywhere. Data is passed on as it comes; nothing of it is kept, so what
 * a reader holds is at most one header and one short payload.
 */
export class SmuxFrameReader {
  readonly #version: number;
  readonly #handler: SmuxFrameHandler;
  readonly #header = new Uint8Array(SMUX_HEADER_LENGTH);
  #headerLength = 0;
  #command: SmuxCommand = SmuxCommand.Nop;
  #streamId = 0;
  /** Bytes of the payload that have not come yet. */
  #missing = 0;
  #payload = EMPTY;

  constructor(version: number, handler: SmuxFrameHandler) {
    this.#version = version;
    this.#handler = handler;
  }

  /** @throws {SmuxError} for what no peer of this version sends; there is no way to read on after that */
  push(bytes: Uint8Array): void {
    let position = 0;
    while (position < bytes.length) {
      if (this.#headerLength < SMUX_HEADER_LENGTH) {
        const count = Math.min(SMUX_HEADER_LENGTH - this.#headerLength, bytes.length - position);
        this.#header.set(bytes.subarray(position, position + count), this.#headerLength);
        this.#headerLength += count;
        position += count;
        if (this.#headerLength < SMUX_HEADER_LENGTH) return;
        this.#begin();
      } else {
        const count = Math.min(this.#missing, bytes.length - position);
        this.#take(bytes.subarray(position, position + count));
        position += count;
      }
      if (this.#missing === 0) this.#end();
    }
  }

  #begin(): void {
    const [version, command = 0] = this.#header;
    const length = this.#header[2]! | (this.#header[3]! << 8);
    if (version !== this.#version) {
      throw new SmuxError(
        'ERR_SMUX_FRAME',
        `The peer sends smux of version ${version}, not ${this.#version}.`,
      );
    }
    if (command > (this.#version === 2 ? SmuxCommand.Rst : SmuxCommand.Nop)) {
      throw new SmuxError(
        'ERR_SMUX_FRAME',
        `The peer sends a smux command ${command}, which does not exist.`,
      );
    }
    const limit = MAX_PAYLOADS[command as SmuxCommand];
    if (length > limit) {
      throw new SmuxError(
        'ERR_SMUX_FRAME',
        `The peer sends a smux command ${command} with ${length} bytes; it takes at most ${limit}.`,
      );
    }
    this.#command = command as SmuxCommand;
    this.#streamId = readUint32(this.#header, 4);
    this.#missing = length;
    this.#payload = command === SmuxCommand.Psh || length === 0 ? EMPTY : new Uint8Array(length);
  }

  #take(bytes: Uint8Array): void {
    if (this.#command === SmuxCommand.Psh) this.#handler.data(this.#streamId, bytes);
    else this.#payload.set(bytes, this.#payload.length - this.#missing);
    this.#missing -= bytes.length;
  }

  #end(): void {
    this.#headerLength = 0;
    if (this.#command === SmuxCommand.Psh) return;
    this.#handler.control(this.#command, this.#streamId, this.#payload);
    this.#payload = EMPTY;
  }
}

const EMPTY = new Uint8Array();

const MAX_PAYLOADS: Readonly<Record<SmuxCommand, number>> = {
  [SmuxCommand.Syn]: 0,
  [SmuxCommand.Fin]: 0,
  [SmuxCommand.Psh]: MAX_SMUX_PAYLOAD,
  [SmuxCommand.Nop]: 0,
  [SmuxCommand.Upd]: 8,
  [SmuxCommand.Rst]: MAX_RESET_PAYLOAD,
};
