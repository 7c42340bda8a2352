import { HawserError } from '../base/error.ts';

export type NodeErrorCode =
  /** The environment lacks what a client needs: a region, credentials. */
  | 'ERR_ENVIRONMENT'
  /** The optional peer dependency is not installed, or has no binary for this machine. */
  | 'ERR_NODE_PTY_MISSING'
  /** The optional peer dependency that makes certificates is not installed. */
  | 'ERR_X509_MISSING'
  /** Plain HTTP was to be offered to other machines. */
  | 'ERR_SERVE_INSECURE'
  /** A client asked to be connected to an address that no client may reach. */
  | 'ERR_ADDRESS_FORBIDDEN'
  /** The shell could not be started. */
  | 'ERR_SHELL_START'
  /** A program of the operating system is missing, or does not answer. */
  | 'ERR_SYSTEM_PROGRAM'
  /** The machine is not registered in the directory where its identity was looked for. */
  | 'ERR_IDENTITY_MISSING'
  /** It is registered there already. */
  | 'ERR_IDENTITY_EXISTS'
  /** Other users can read what makes the machine the node that it is. */
  | 'ERR_IDENTITY_MODE'
  /** Another process is that node. */
  | 'ERR_IDENTITY_LOCKED'
  | 'ERR_IDENTITY_UNREADABLE'
  /** Other users can read a file of keys, or put another in its place. */
  | 'ERR_KEY_FILE_MODE'
  /** Another process is changing it. */
  | 'ERR_KEY_FILE_LOCKED'
  | 'ERR_KEY_FILE_UNREADABLE'
  /** A key policy that cannot be kept in a file. */
  | 'ERR_KEY_FILE_POLICY'
  /** Other users can read a file of principals and their keys, or put another in its place. */
  | 'ERR_IAM_FILE_MODE'
  | 'ERR_IAM_FILE_MISSING'
  /** The optional peer dependency that keeps durable stores is not installed, or has no binary for this machine. */
  | 'ERR_LEVEL_MISSING'
  /** Another process has the durable store. */
  | 'ERR_STORE_LOCKED'
  /** It is damaged, or no store. */
  | 'ERR_STORE_UNREADABLE'
  /** A later version of hawser wrote it. */
  | 'ERR_STORE_FORMAT'
  /** Other users can read what is in it. */
  | 'ERR_STORE_MODE'
  /** The disk is full, or worse. */
  | 'ERR_STORE_WRITE'
  | 'ERR_STORE_CLOSED';

/** What this machine cannot do. */
export class NodeError extends HawserError {
  declare readonly code: NodeErrorCode;

  constructor(code: NodeErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}
