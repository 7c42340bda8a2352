import { SmuxError } from './error.ts';
import {
  readUint32,
  SMUX_HEADER_LENGTH,
  SmuxCommand,
  SmuxFrameReader,
  writeSmuxHeader,
  writeUint32,
} from './frame.ts';
import {
  DEFAULT_SMUX_FRAME,
  DEFAULT_SMUX_SEND_BUFFER,
  DEFAULT_SMUX_STREAMS,
  MAX_SMUX_WINDOW,
  MIN_SMUX_TRANSMIT,
  SMUX_INITIAL_WINDOW,
  SMUX_RECEIVE_BUFFER,
  SMUX_RESETS_PER_STREAM,
} from './limits.ts';
import { formatReset, parseReset, type SmuxReset } from './reset.ts';
import { nextStreamId, SmuxStream } from './smux-stream.ts';

export interface SmuxSessionOptions {
  /** The client opens streams, the server takes them. */
  readonly role: 'client' | 'server';
  /** 1 with AWS's programs. 2 between hawser's ends only: it is not quite xtaci's. */
  readonly version: 1 | 2;
  /** Streams at one time. Default 4,096. */
  readonly maxStreams?: number;
  /** Bytes that wait to be sent, for each stream. Default 128 KiB. */
  readonly sendBuffer?: number;
  /** Bytes received and not consumed, over all streams. Default 4 MiB in version 1. Version 2: by how
   * much all windows may grow together. Default 64 MiB.
   */
  readonly receiveBuffer?: number;
}

export type SmuxEvent =
  /** Server: the peer opened a stream. */
  | { readonly type: 'opened'; readonly streamId: number }
  /** A view of what came: report it with {@link SmuxSession.consumed} when it has been used. */
  | { readonly type: 'data'; readonly streamId: number; readonly bytes: Uint8Array }
  /** The peer will send nothing more in the stream. In version 1 it takes nothing more, either. */
  | { readonly type: 'finished'; readonly streamId: number }
  /** The stream is over in both directions. */
  | { readonly type: 'reset'; readonly streamId: number; readonly reason?: SmuxReset }
  /** There is room again, after a `write` that took less than it was given. */
  | { readonly type: 'writable'; readonly streamId: number }
  /** The peer broke the rules: nothing more will be sent or received. */
  | { readonly type: 'failed'; readonly error: SmuxError };

/**
 * Many streams over one stream of bytes, with no IO: smux as port sessions use it (PROTOCOL.md section 9).
 *
 * Version 1 is that of AWS's programs. It has no windows, so a reader that does not read holds up all streams when the
 * receive buffer is {@link full}, and FIN ends both directions. Version 2 has a window for each stream; FIN ends one
 * direction, and RST both with a reason.
 *
 * Poll `pollEvent` and `pollTransmit` after every call. Nothing that the peer sends makes a method throw.
 */
export class SmuxSession {
  readonly #isClient: boolean;
  readonly #version: 1 | 2;
  readonly #maxStreams: number;
  readonly #sendBuffer: number;
  readonly #receiveBuffer: number;
  readonly #reader: SmuxFrameReader;
  readonly #streams = new Map<number, SmuxStream>();
  /** Streams that have something to send, in the order of their turns. */
  readonly #ready = new Set<SmuxStream>();
  /** Streams that have a SYN, UPD or FIN to send: it does not wait behind the bytes of others. */
  readonly #urgent = new Set<SmuxStream>();
  /** Frames of streams that are gone. */
  #control: Uint8Array[] = [];
  #events: SmuxEvent[] = [];
  #firstEvent = 0;
  /** Received and not consumed, over all streams. */
  #unread = 0;
  /** Version 2: what the windows have grown by, over all streams. */
  #grown = 0;
  /** The peer keeps the session alive, and closes it when nothing comes back. */
  #nopPending = false;
  /** Server: ids that were used lately. */
  readonly #recent = new Set<number>();
  /** Client: the last id used. Server: the highest seen. */
  #lastId: number;
  #closed = false;

  constructor(options: SmuxSessionOptions) {
    const { role, version } = options;
    this.#isClient = role === 'client';
    this.#version = version;
    this.#maxStreams = options.maxStreams ?? DEFAULT_SMUX_STREAMS;
    this.#sendBuffer = options.sendBuffer ?? DEFAULT_SMUX_SEND_BUFFER;
    this.#receiveBuffer = options.receiveBuffer ?? SMUX_RECEIVE_BUFFER[version];
    this.#lastId = this.#isClient ? 1 : 0;
    this.#reader = new SmuxFrameReader(version, {
      data: (streamId, bytes) => this.#handleData(streamId, bytes),
      control: (command, streamId, payload) => this.#handleControl(command, streamId, payload),
    });
  }

  /** Streams that are not over. */
  get size(): number {
    return this.#streams.size;
  }

  /**
   * Whether no more should be brought: so much waits to be consumed; or a peer goes on asking for what it is refused,
   * and does not take the answers.
   */
  get full(): boolean {
    if (this.#closed) return false;
    // In version 2 the windows are the bound; updates of theirs would not come through a channel that stands still.
    const unread = this.#version === 1 && this.#unread >= this.#receiveBuffer;
    return unread || this.#control.length > SMUX_RESETS_PER_STREAM * this.#maxStreams;
  }

  /** Bytes received and not consumed. */
  get unread(): number {
    return this.#unread;
  }

  /** Takes bytes of the peer, cut anywhere. Keeps views of them: do not write to them afterwards. */
  handleBytes(bytes: Uint8Array): void {
    if (this.#closed) return;
    try {
      this.#reader.push(bytes);
    } catch (error) {
      if (!(error instanceof SmuxError)) throw error;
      this.close();
      this.#push({ type: 'failed', error });
    }
  }

  /**
   * Client: opens a stream. The peer learns of it with the next transmit.
   *
   * @returns its id
   * @throws {SmuxError} `ERR_SMUX_STREAMS`, `ERR_SMUX_CLOSED`
   */
  open(): number {
    if (this.#closed) throw new SmuxError('ERR_SMUX_CLOSED', 'The smux session is over.');
    if (!this.#isClient) throw new SmuxError('ERR_SMUX_STREAMS', ONLY_CLIENTS_OPEN);
    if (this.#streams.size >= this.#maxStreams) {
      throw new SmuxError('ERR_SMUX_STREAMS', tooMany(this.#streams.size));
    }
    const id = nextStreamId(this.#lastId);
    if (id === undefined) {
      throw new SmuxError('ERR_SMUX_STREAMS', 'Every stream id has been used. Begin another session.');
    }
    this.#lastId = id;
    const stream = new SmuxStream(id, SMUX_INITIAL_WINDOW);
    stream.synPending = true;
    this.#streams.set(stream.id, stream);
    this.#schedule(stream);
    return stream.id;
  }

  /**
   * Queues bytes, which are copied.
   *
   * @returns how many were taken; offer the others again after the event `writable`. All, for a stream that takes
   * nothing more: there is nobody to send them to
   */
  write(streamId: number, bytes: Uint8Array): number {
    const stream = this.#streams.get(streamId);
    if (!stream || stream.finPending || this.#isDeaf(stream)) return bytes.length;
    const taken = Math.min(bytes.length, Math.max(0, this.#sendBuffer - stream.queued));
    if (taken > 0) {
      stream.push(taken === bytes.length ? bytes : bytes.subarray(0, taken));
      this.#schedule(stream);
    }
    if (taken < bytes.length) stream.wantsRoom = true;
    return taken;
  }

  /**
   * Ends our direction, behind what was written. In version 1 the peer takes it for the end of both: what it still had
   * to say is lost, so wait for its end where that matters.
   */
  closeWrite(streamId: number): void {
    const stream = this.#streams.get(streamId);
    if (!stream || stream.finPending) return;
    stream.finPending = true;
    this.#schedule(stream);
  }

  /** Ends both directions at once; what is queued is lost. Version 1 has no word for it but FIN, and no reason. */
  reset(streamId: number, reason?: SmuxReset): void {
    const stream = this.#streams.get(streamId);
    if (!stream) return;
    // In version 1 a FIN has said it already.
    const said = stream.finSent && (stream.finReceived || this.#version === 1);
    if (!stream.synPending && !said) this.#sendReset(streamId, reason);
    this.#forget(stream);
  }

  /** The application has used so many bytes of the stream. */
  consumed(streamId: number, bytes: number): void {
    const stream = this.#streams.get(streamId);
    if (!stream) return;
    const count = Math.min(bytes, stream.unread);
    stream.consumed += count;
    this.#unread -= count;
    if (stream.finReceived) this.#settle(stream);
    if (this.#version === 1 || stream.finReceived) return;
    if (stream.consumed - stream.updatedAt < stream.window / 2) return;
    if (stream.unread <= stream.window / 4) this.#growWindow(stream);
    stream.updatedAt = stream.consumed;
    stream.updatePending = true;
    this.#schedule(stream);
  }

  /** Ends every stream, and tells nobody. */
  close(): void {
    this.#closed = true;
    this.#streams.clear();
    this.#ready.clear();
    this.#urgent.clear();
    this.#control = [];
    this.#unread = 0;
    this.#grown = 0;
  }

  /** What happened, in order. */
  pollEvent(): SmuxEvent | undefined {
    const event = this.#events[this.#firstEvent];
    if (!event) return undefined;
    this.#firstEvent++;
    if (this.#firstEvent === this.#events.length || this.#firstEvent === COMPACT_AFTER) {
      this.#events = this.#events.slice(this.#firstEvent);
      this.#firstEvent = 0;
    }
    return event;
  }

  /**
   * The next bytes for the peer, at most `limit`. Streams take turns, each with one frame, so that a large transfer
   * does not stand before a small one.
   *
   * @param memory where to write them, of `limit` bytes or more; they then stay until it is used again. Default: new
   * @throws {RangeError} for a limit below 2,048
   */
  pollTransmit(limit: number, memory?: Uint8Array): Uint8Array | undefined {
    if (!(limit >= MIN_SMUX_TRANSMIT)) {
      throw new RangeError(`The limit of a transmit must be at least ${MIN_SMUX_TRANSMIT}, got ${limit}.`);
    }
    if (this.#idle) return undefined;
    const target = memory?.subarray(0, limit) ?? new Uint8Array(Math.min(limit, this.#estimate()));
    let length = this.#writeNop(target);
    while (this.#control.length > 0 && length + this.#control[0]!.length <= target.length) {
      const frame = this.#control.shift()!;
      target.set(frame, length);
      length += frame.length;
    }
    // No new stream overtakes the end of an old one, so that no more ends wait than there may be streams.
    if (this.#control.length > 0) return target.subarray(0, length);
    for (const stream of this.#urgent) {
      if (target.length - length < LONGEST_CONTROL) return target.subarray(0, length);
      this.#urgent.delete(stream);
      length = this.#transmitUrgent(stream, target, length);
    }
    for (const stream of this.#ready) {
      if (target.length - length < LONGEST_CONTROL + SMUX_HEADER_LENGTH) break;
      this.#ready.delete(stream);
      length = this.#transmit(stream, target, length);
    }
    return length === 0 ? undefined : target.subarray(0, length);
  }

  get #idle(): boolean {
    return !this.#nopPending && this.#control.length + this.#urgent.size + this.#ready.size === 0;
  }

  #writeNop(target: Uint8Array): number {
    if (!this.#nopPending) return 0;
    this.#nopPending = false;
    return writeSmuxHeader(target, 0, this.#version, SmuxCommand.Nop, 0, 0);
  }

  /** Bytes that all turns together want, and some more. */
  #estimate(): number {
    let bytes = (3 + this.#urgent.size) * LONGEST_CONTROL;
    for (const frame of this.#control) bytes += frame.length;
    for (const stream of this.#ready) {
      bytes += LONGEST_CONTROL + SMUX_HEADER_LENGTH + Math.min(stream.queued, DEFAULT_SMUX_FRAME);
      if (bytes >= DEFAULT_SMUX_FRAME) return Math.max(bytes, 2 * DEFAULT_SMUX_FRAME);
    }
    return bytes;
  }

  /** @returns where the next frame goes */
  #transmitUrgent(stream: SmuxStream, target: Uint8Array, offset: number): number {
    let end = offset;
    if (stream.synPending) {
      stream.synPending = false;
      end = writeSmuxHeader(target, end, this.#version, SmuxCommand.Syn, 0, stream.id);
    }
    if (stream.updatePending) end = this.#writeUpdate(stream, target, end);
    return this.#writeFin(stream, target, end);
  }

  /** One turn of a stream. @returns where the next frame goes */
  #transmit(stream: SmuxStream, target: Uint8Array, offset: number): number {
    const end = this.#writeFin(stream, target, this.#writeData(stream, target, offset));
    if (this.#sendable(stream) > 0) this.#ready.add(stream);
    if (stream.wantsRoom && stream.queued <= this.#sendBuffer / 2) {
      stream.wantsRoom = false;
      this.#push({ type: 'writable', streamId: stream.id });
    }
    return end;
  }

  /** Once there is nothing left to send before it. */
  #writeFin(stream: SmuxStream, target: Uint8Array, offset: number): number {
    if (!stream.finPending || stream.finSent || stream.queued > 0) return offset;
    stream.finSent = true;
    this.#settle(stream);
    return writeSmuxHeader(target, offset, this.#version, SmuxCommand.Fin, 0, stream.id);
  }

  #writeUpdate(stream: SmuxStream, target: Uint8Array, offset: number): number {
    stream.updatePending = false;
    stream.receiveLimit = Math.max(stream.receiveLimit, stream.consumed + stream.window);
    const start = writeSmuxHeader(target, offset, 2, SmuxCommand.Upd, 8, stream.id);
    writeUint32(target, start, stream.consumed % UINT32);
    writeUint32(target, start + 4, stream.window);
    return start + 8;
  }

  #writeData(stream: SmuxStream, target: Uint8Array, offset: number): number {
    // Room for a FIN stays.
    const room = target.length - offset - 2 * SMUX_HEADER_LENGTH;
    const longest = this.#ready.size > 0 ? SHARED_FRAME : DEFAULT_SMUX_FRAME;
    const length = Math.min(this.#sendable(stream), longest, room);
    if (length <= 0) return offset;
    const start = writeSmuxHeader(target, offset, this.#version, SmuxCommand.Psh, length, stream.id);
    return start + stream.shiftInto(target, start, length);
  }

  /** Bytes of the stream that may be sent now. */
  #sendable(stream: SmuxStream): number {
    return this.#version === 1 ? stream.queued : Math.min(stream.queued, stream.sendLimit - stream.sent);
  }

  #schedule(stream: SmuxStream): void {
    const { synPending, updatePending, finPending, finSent, queued } = stream;
    const fin = finPending && !finSent && queued === 0;
    if (synPending || updatePending || fin) this.#urgent.add(stream);
    if (this.#sendable(stream) > 0) this.#ready.add(stream);
  }

  /** A reader that keeps up is held back by the round trip alone, as long as there is memory for its window. */
  #growWindow(stream: SmuxStream): void {
    const growth = Math.min(
      stream.window,
      MAX_SMUX_WINDOW - stream.window,
      this.#receiveBuffer - this.#grown,
    );
    stream.window += growth;
    this.#grown += growth;
  }

  #handleData(streamId: number, bytes: Uint8Array): void {
    const stream = this.#streams.get(streamId);
    // Late, for a stream that is over here.
    if (!stream || stream.finReceived) return;
    if (this.#version === 2 && stream.received + bytes.length > stream.receiveLimit) {
      const reason = { code: 'ERR_SMUX_WINDOW', message: 'More was sent than the window had room for.' };
      this.#endStream(stream, reason, reason);
      return;
    }
    stream.received += bytes.length;
    this.#unread += bytes.length;
    this.#push({ type: 'data', streamId, bytes });
  }

  #handleControl(command: SmuxCommand, streamId: number, payload: Uint8Array): void {
    if (command === SmuxCommand.Syn) {
      this.#handleSyn(streamId);
      return;
    }
    if (command === SmuxCommand.Nop) {
      this.#nopPending = true;
      return;
    }
    const stream = this.#streams.get(streamId);
    // Late, for a stream that is over here.
    if (!stream) return;
    if (command === SmuxCommand.Fin) this.#handleFin(stream);
    else if (command === SmuxCommand.Upd) this.#handleUpdate(stream, payload);
    else if (command === SmuxCommand.Rst) {
      const reason = parseReset(payload);
      this.#forget(stream);
      this.#push({ type: 'reset', streamId, ...(reason && { reason }) });
    }
  }

  #handleSyn(streamId: number): void {
    if (this.#streams.has(streamId)) return;
    const refusal = this.#refusalOf(streamId);
    if (!this.#isClient) this.#remember(streamId);
    if (refusal) {
      this.#sendReset(streamId, { code: 'ERR_SMUX_STREAMS', message: refusal });
      return;
    }
    this.#streams.set(streamId, new SmuxStream(streamId, SMUX_INITIAL_WINDOW));
    this.#push({ type: 'opened', streamId });
  }

  /** Why the peer cannot have this new stream. */
  #refusalOf(streamId: number): string | undefined {
    if (this.#isClient) return ONLY_CLIENTS_OPEN;
    // What is late for a stream that was must not reach another of its name. Streams that the peer opens at one time may
    // come in any order.
    if (this.#recent.has(streamId) || streamId <= this.#lastId - 2 * REMEMBERED) {
      return 'Streams are opened in rising order, each id once.';
    }
    return this.#streams.size >= this.#maxStreams ? tooMany(this.#streams.size) : undefined;
  }

  #remember(streamId: number): void {
    this.#lastId = Math.max(this.#lastId, streamId);
    this.#recent.add(streamId);
    if (this.#recent.size > REMEMBERED) this.#recent.delete(this.#recent.values().next().value!);
  }

  #handleFin(stream: SmuxStream): void {
    if (stream.finReceived) return;
    stream.finReceived = true;
    if (this.#isDeaf(stream)) {
      stream.drop();
      stream.wantsRoom = false;
      this.#schedule(stream);
    }
    this.#push({ type: 'finished', streamId: stream.id });
    this.#settle(stream);
  }

  #handleUpdate(stream: SmuxStream, payload: Uint8Array): void {
    const inFlight = payload.length === 8 ? differenceOf(stream.sent, readUint32(payload, 0)) : UINT32;
    if (inFlight > stream.sent) {
      const reason = { code: 'ERR_SMUX_WINDOW', message: 'More was said to be consumed than had been sent.' };
      this.#endStream(stream, reason, reason);
      return;
    }
    const limit = stream.sent - inFlight + readUint32(payload, 4);
    if (limit > stream.sendLimit) stream.sendLimit = limit;
    this.#schedule(stream);
  }

  /** In version 1 a peer that has sent FIN takes nothing more. */
  #isDeaf(stream: SmuxStream): boolean {
    return this.#version === 1 && stream.finReceived;
  }

  #endStream(stream: SmuxStream, there: SmuxReset, here: SmuxReset): void {
    this.#sendReset(stream.id, there);
    this.#forget(stream);
    this.#push({ type: 'reset', streamId: stream.id, reason: here });
  }

  #settle(stream: SmuxStream): void {
    // What has not been consumed yet counts until it has been.
    if (stream.finSent && stream.finReceived && stream.unread === 0) this.#forget(stream);
  }

  #forget(stream: SmuxStream): void {
    this.#streams.delete(stream.id);
    this.#ready.delete(stream);
    this.#urgent.delete(stream);
    this.#unread -= stream.unread;
    this.#grown -= stream.window - SMUX_INITIAL_WINDOW;
    stream.drop();
  }

  #sendReset(streamId: number, reason: SmuxReset | undefined): void {
    const payload = this.#version === 2 && reason ? formatReset(reason) : new Uint8Array();
    const command = this.#version === 2 ? SmuxCommand.Rst : SmuxCommand.Fin;
    const frame = new Uint8Array(SMUX_HEADER_LENGTH + payload.length);
    frame.set(payload, writeSmuxHeader(frame, 0, this.#version, command, payload.length, streamId));
    this.#control.push(frame);
  }

  #push(event: SmuxEvent): void {
    this.#events.push(event);
  }
}

const UINT32 = 2 ** 32;
/** Ids of streams. */
const REMEMBERED = 1_024;
/** SYN, UPD and FIN of one stream. */
const LONGEST_CONTROL = 4 * SMUX_HEADER_LENGTH;
/** Bytes of one turn when other streams wait for theirs. */
const SHARED_FRAME = 8_192;
/** Polled events that may stay at the head of the array. */
const COMPACT_AFTER = 1_024;

/** `sent - consumed`, where of the latter only the low 32 bits are known. */
function differenceOf(sent: number, consumed: number): number {
  return ((sent % UINT32) - consumed + UINT32) % UINT32;
}

const ONLY_CLIENTS_OPEN = 'Only the client opens streams.';

function tooMany(size: number): string {
  return `${size} streams are open, as many as there may be.`;
}
