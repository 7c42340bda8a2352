/**
 * `hawser/node`: Node.js shells around the library: HTTP server, real shells, this process's terminal.
 *
 * @module
 */
export { attachPipes } from './attach-pipes.ts';
export { attachTerminal, type StdioStreams } from './attach-terminal.ts';
export { NodeError, type NodeErrorCode } from './error.ts';
export type { NodePty, NodePtyProcess } from './node-pty.ts';
export { pipeShell } from './pipe-shell.ts';
export { type PtyShellOptions, ptyShell } from './pty-shell.ts';
export { type ServeOptions, type Server, serve, type WebService } from './serve.ts';
export type { ShellOptions } from './shell.ts';
