import type { Readable, Writable } from 'node:stream';

export interface PluginStreams {
  readonly stdin: Readable & { readonly isRaw?: boolean };
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/**
 * What the plugin says, and where. AWS's plugin says everything on stdout, between the output of the session, and scripts
 * look for it there. When quiet, and in sessions whose stdout belongs to another program, stdout is the session's alone.
 */
export class PluginConsole {
  readonly #streams: PluginStreams;
  #quiet: boolean;

  constructor(streams: PluginStreams, quiet: boolean) {
    this.#streams = streams;
    this.#quiet = quiet;
  }

  /** From now on stdout is the session's alone. */
  hush(): void {
    this.#quiet = true;
  }

  /** How a session goes that goes well, in the words of AWS's plugin. When quiet, nobody is told. */
  notice(text: string): void {
    if (!this.#quiet) this.#streams.stdout.write(text);
  }

  /** What somebody has to know, in the words of AWS's plugin: that it failed, which port it is. When quiet, on stderr. */
  important(text: string): void {
    if (this.#quiet) this.#streams.stderr.write(`${text.trim()}\n`);
    else this.#streams.stdout.write(text);
  }

  /** One line on stderr, of what AWS's plugin says nothing. */
  say(line: string): void {
    this.#streams.stderr.write(this.#streams.stdin.isRaw ? `${line}\r\n` : `${line}\n`);
  }

  /** Resolves when everything is written that can be. */
  async flush(): Promise<void> {
    const { stdout, stderr } = this.#streams;
    await Promise.all([stdout, stderr].map((stream) => new Promise((done) => stream.write('', done))));
  }
}

/** Whether a switch in the environment is on. */
export function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0';
}
