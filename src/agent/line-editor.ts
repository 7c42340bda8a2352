import { concat, fromUtf8, utf8 } from '../base/encoding.ts';

export interface LineEditorHandler {
  /** What the terminal shows in answer to a key. */
  echo(bytes: Uint8Array): void;
  line(text: string): void;
  /** Ctrl-C. The line so far is gone. */
  interrupt(): void;
  /** Ctrl-D on an empty line. */
  endOfInput(): void;
}

/**
 * Turns keystrokes into lines, as the terminal driver of an operating system does in its line mode: echo,
 * backspace, Ctrl-U, Ctrl-C, Ctrl-D; CR, LF and CR LF end a line. Arrow keys and the like are swallowed.
 * Works on bytes, so a character may come in pieces.
 */
export class LineEditor {
  readonly #handler: LineEditorHandler;
  /** One entry per character. */
  #characters: Uint8Array[] = [];
  #length = 0;
  /** Joined, so that a paste is not echoed byte by byte. */
  #echoes: Uint8Array[] = [];
  #afterReturn = false;
  #escape: 'none' | 'started' | 'sequence' = 'none';

  constructor(handler: LineEditorHandler) {
    this.#handler = handler;
  }

  push(bytes: Uint8Array): void {
    for (const byte of bytes) this.#byte(byte);
    this.#flush();
  }

  #byte(byte: number): void {
    const lineFeedOfPair = byte === LF && this.#afterReturn;
    this.#afterReturn = byte === CR;
    if (lineFeedOfPair || this.#swallow(byte)) return;
    if (byte === CR || byte === LF) this.#enter();
    else if (byte === DEL || byte === BS) this.#erase();
    else if (byte === NAK) while (this.#characters.length > 0) this.#erase();
    else if (byte === ETX) this.#interrupt();
    else if (byte === EOT) {
      if (this.#characters.length === 0) this.#handler.endOfInput();
    } else if (byte >= SPACE || byte === TAB) this.#insert(byte);
  }

  /** Escape sequences: ESC [ … final byte, ESC O letter, ESC letter. */
  #swallow(byte: number): boolean {
    const was = this.#escape;
    if (byte === ESC) this.#escape = 'started';
    else if (was === 'started') this.#escape = byte === 0x5b || byte === 0x4f ? 'sequence' : 'none';
    else if (was === 'sequence') this.#escape = byte >= 0x40 && byte <= 0x7e ? 'none' : 'sequence';
    return was !== 'none' || byte === ESC;
  }

  #insert(byte: number): void {
    if (this.#length === MAX_LINE) return;
    this.#length++;
    const continues = (byte & 0xc0) === 0x80 && this.#characters.length > 0;
    if (continues) this.#characters.push(concat([this.#characters.pop()!, Uint8Array.of(byte)]));
    else this.#characters.push(Uint8Array.of(byte));
    this.#echoes.push(Uint8Array.of(byte));
  }

  #erase(): void {
    const character = this.#characters.pop();
    if (!character) return;
    this.#length -= character.length;
    this.#echoes.push(ERASE);
  }

  #enter(): void {
    const text = fromUtf8(concat(this.#characters));
    this.#clear();
    this.#echoes.push(NEW_LINE);
    this.#flush();
    this.#handler.line(text);
  }

  #interrupt(): void {
    this.#clear();
    this.#echoes.push(INTERRUPTED);
    this.#flush();
    this.#handler.interrupt();
  }

  #flush(): void {
    if (this.#echoes.length > 0) this.#handler.echo(concat(this.#echoes));
    this.#echoes = [];
  }

  #clear(): void {
    this.#characters = [];
    this.#length = 0;
  }
}

/** Bytes of a line; the rest is ignored, as in Linux. */
const MAX_LINE = 4095;

const ETX = 0x03;
const EOT = 0x04;
const BS = 0x08;
const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const NAK = 0x15;
const ESC = 0x1b;
const SPACE = 0x20;
const DEL = 0x7f;

const ERASE = utf8('\b \b');
const NEW_LINE = utf8('\r\n');
const INTERRUPTED = utf8('^C\r\n');
