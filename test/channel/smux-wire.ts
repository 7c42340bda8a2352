import { type SmuxEvent, SmuxSession, type SmuxSessionOptions } from '../../src/channel/index.ts';

/** The frames of PROTOCOL.md section 9, written and read without our own code. */

export type Version = 1 | 2;
export const VERSIONS: readonly Version[] = [1, 2];

const COMMANDS = ['SYN', 'FIN', 'PSH', 'NOP', 'UPD', 'RST'] as const;
export type Command = (typeof COMMANDS)[number];

export interface Frame {
  readonly version: number;
  readonly command: Command;
  readonly id: number;
  readonly payload: Buffer;
}

export function frame(
  version: number,
  command: Command | number,
  id: number,
  payload: Uint8Array | string = '',
): Uint8Array {
  const body = Buffer.from(payload as string);
  const header = Buffer.alloc(8);
  header.writeUInt8(version, 0);
  header.writeUInt8(typeof command === 'number' ? command : COMMANDS.indexOf(command), 1);
  header.writeUInt16LE(body.length, 2);
  header.writeUInt32LE(id, 4);
  return new Uint8Array(Buffer.concat([header, body]));
}

export function update(id: number, consumed: number, window: number): Uint8Array {
  const payload = Buffer.alloc(8);
  payload.writeUInt32LE(consumed, 0);
  payload.writeUInt32LE(window, 4);
  return frame(2, 'UPD', id, payload);
}

/** Reads whole frames. */
export function framesOf(bytes: Uint8Array): Frame[] {
  const buffer = Buffer.from(bytes);
  const frames: Frame[] = [];
  for (let at = 0; at < buffer.length; ) {
    const length = buffer.readUInt16LE(at + 2);
    const payload = buffer.subarray(at + 8, at + 8 + length);
    if (payload.length < length) throw new Error('a frame that does not end');
    const command = COMMANDS[buffer.readUInt8(at + 1)]!;
    frames.push({ version: buffer.readUInt8(at), command, id: buffer.readUInt32LE(at + 4), payload });
    at += 8 + length;
  }
  return frames;
}

/** For comparisons at a glance: `PSH 3 hello`. */
export function told(frames: readonly Frame[]): string[] {
  return frames.map(({ command, id, payload }) => `${command} ${id} ${shown(command, payload)}`.trim());
}

function shown(command: Command, payload: Buffer): string {
  if (command === 'UPD') return `${payload.readUInt32LE(0)}+${payload.readUInt32LE(4)}`;
  return payload.length > 40 && command === 'PSH' ? `(${payload.length})` : payload.toString();
}

export function session(
  role: 'client' | 'server',
  version: Version,
  options: Partial<SmuxSessionOptions> = {},
): SmuxSession {
  return new SmuxSession({ role, version, ...options });
}

/** Everything that the session has to send, as frames. */
export function sent(smux: SmuxSession, limit = 32_768): Frame[] {
  return framesOf(transmitted(smux, limit));
}

export function transmitted(smux: SmuxSession, limit = 32_768): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (let piece = smux.pollTransmit(limit); piece; piece = smux.pollTransmit(limit)) pieces.push(piece);
  return Buffer.concat(pieces);
}

export function events(smux: SmuxSession): SmuxEvent[] {
  const all: SmuxEvent[] = [];
  for (let event = smux.pollEvent(); event; event = smux.pollEvent()) all.push(event);
  return all;
}

/** For comparisons at a glance: neighbouring data of one stream as one text. */
export function heard(smux: SmuxSession): string[] {
  const all: string[] = [];
  let last = 0;
  for (const event of events(smux)) {
    if (event.type === 'failed') all.push(`failed ${event.error.code}`);
    else if (event.type === 'reset')
      all.push(`reset ${event.streamId} ${event.reason?.code ?? ''} ${event.reason?.message ?? ''}`.trim());
    else if (event.type !== 'data') all.push(`${event.type} ${event.streamId}`);
    else if (last === event.streamId) all[all.length - 1] += Buffer.from(event.bytes).toString();
    else all.push(`data ${event.streamId} ${Buffer.from(event.bytes)}`);
    last = event.type === 'data' ? event.streamId : 0;
  }
  return all;
}

/** Brings what each of the two has to say to the other, until neither has anything. */
export function exchange(one: SmuxSession, other: SmuxSession): void {
  for (;;) {
    const there = transmitted(one);
    if (there.length > 0) other.handleBytes(there);
    const back = transmitted(other);
    if (back.length > 0) one.handleBytes(back);
    if (there.length === 0 && back.length === 0) return;
  }
}

/** A client and a server with one open stream, number 3, of which both know. */
export function connected(
  version: Version,
  options: Partial<SmuxSessionOptions> = {},
): { client: SmuxSession; server: SmuxSession } {
  const client = session('client', version, options);
  const server = session('server', version, options);
  client.open();
  exchange(client, server);
  events(server);
  return { client, server };
}

export const text = (value: string): Uint8Array => new TextEncoder().encode(value);
