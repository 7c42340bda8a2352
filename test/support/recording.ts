import { readdirSync, readFileSync } from 'node:fs';

/** One line of a recording (test/vectors/README.md). */
export type RecordingLine = RecordedFrame | RecordedMark;

export interface RecordedFrame {
  readonly kind: 'frame';
  readonly at: number;
  readonly from: 'client' | 'agent' | 'service';
  readonly to: 'client' | 'agent' | 'service';
  readonly channel: 'data' | 'control';
  readonly binary: boolean;
  readonly data: Uint8Array;
  /** The relay swallowed it, or the other side was not there. */
  readonly lost: boolean;
  /** The sender's bytes, where the relay changed them on purpose. */
  readonly original?: Uint8Array;
  readonly modified: boolean;
}

export interface RecordedMark {
  readonly kind: string;
  readonly at: number;
  readonly from?: string;
  readonly channel?: string;
  /** Of `http`: the operation or the request line, what was asked and what was answered. */
  readonly op?: string;
  readonly request?: Readonly<Record<string, unknown>>;
  readonly response?: unknown;
}

const FOLDER = new URL('../vectors/', import.meta.url);

export function recordingNames(): string[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.jsonl'))
    .map((name) => name.slice(0, -'.jsonl'.length))
    .sort();
}

export function readRecording(name: string): RecordingLine[] {
  const text = readFileSync(new URL(`${name}.jsonl`, FOLDER), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map(parseLine);
}

export function isFrame(line: RecordingLine): line is RecordedFrame {
  return line.kind === 'frame';
}

function parseLine(text: string): RecordingLine {
  const line = JSON.parse(text);
  if (line.opcode === undefined) {
    const { kind, from, op, req, resp } = line;
    return { kind, at: line.t_ms, from, channel: line.ch, op, request: req, response: resp };
  }
  return {
    kind: 'frame',
    at: line.t_ms,
    from: line.from,
    to: line.to,
    channel: line.ch,
    binary: line.opcode === 'binary',
    data: bytes(line.data),
    lost: Boolean(line.dropped || line.undelivered),
    modified: Boolean(line.modified),
    ...(line.original && { original: bytes(line.original) }),
  };
}

function bytes(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'));
}
