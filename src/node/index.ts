/**
 * `hawser/node`: Node.js shells around the library: HTTP server, real shells and commands, ports, files, this process's terminal.
 *
 * @module
 */
export { attachPipes } from './attach-pipes.ts';
export { type AttachTerminalOptions, attachTerminal, type StdioStreams } from './attach-terminal.ts';
export { clientFromEnvironment } from './client-from-environment.ts';
export { type CopyFileFromOptions, copyFileFrom, copyFileTo } from './copy-file.ts';
export {
  type DevelopmentCertificate,
  type DevelopmentCertificateOptions,
  developmentCertificate,
} from './development-certificate.ts';
export { type DurableStore, type DurableStoreOptions, durableStore } from './durable-store.ts';
export { NodeError, type NodeErrorCode } from './error.ts';
export {
  type IamDirectoryFile,
  type IamDirectoryFileOptions,
  iamDirectoryFile,
} from './iam-directory-file.ts';
export {
  defaultIdentityDirectory,
  describeIdentity,
  type Identity,
  type IdentityDescription,
  type NodeLocation,
  openIdentity,
} from './identity.ts';
export { type InteractiveCommandsOptions, interactiveCommands } from './interactive-commands.ts';
export { type Listener, type ListenOptions, listen } from './listen.ts';
export { type ListenedForward, type Listeners, listenAll } from './listen-all.ts';
export { localKeyFile } from './local-key-file.ts';
export { machine } from './machine.ts';
export { generateNodeKey, nodeKey } from './node-key.ts';
export type { NodePty, NodePtyProcess } from './node-pty.ts';
export { nonInteractiveCommands } from './non-interactive-commands.ts';
export { pipeShell } from './pipe-shell.ts';
export { proxy } from './proxy.ts';
export { type PtyShellOptions, ptyShell } from './pty-shell.ts';
export { type RegisterNodeOptions, registerNode } from './register-node.ts';
export { type ServeOptions, type Server, serve, type TlsOptions, type WebService } from './serve.ts';
export type { RunAsOptions } from './session-user.ts';
export type { CommandOptions, ShellOptions } from './shell.ts';
export { socketConnection } from './socket-connection.ts';
export { DENIED_ADDRESSES, type TcpDialerOptions, tcpDialer } from './tcp-dialer.ts';
