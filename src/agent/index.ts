/**
 * `hawser/agent`: a managed node, with session types as registered handlers.
 *
 * @module
 */

export { FingerprintError, InvalidActivationError } from '../core/service-error.ts';
export { Agent, type AgentEvents, type AgentLimits, type AgentOptions } from './agent.ts';
export { AgentError, type AgentErrorCode } from './error.ts';
export type { NodeIdentity } from './identity.ts';
export type { Machine } from './information-reports.ts';
export type { NodeEndpointOptions } from './node-endpoint.ts';
export type { Destination, Dialer } from './port/dialer.ts';
export { portForwarding } from './port/port-forwarding.ts';
export { type RegisterOptions, registerManagedInstance } from './register.ts';
export { type RoleCredentialsOptions, roleCredentials } from './role-credentials.ts';
export { RunAsError } from './run-as.ts';
export type { AgentSession, SessionHandler, SessionResult } from './session.ts';
export type { SessionOutcome } from './session-run.ts';
export type { ShellPlatform } from './shell-properties.ts';
export type { VirtualCommand, VirtualCommands, VirtualIo } from './virtual-command.ts';
export { type VirtualCommandsOptions, virtualCommands } from './virtual-commands.ts';
export { type VirtualShellOptions, virtualShell } from './virtual-shell.ts';
