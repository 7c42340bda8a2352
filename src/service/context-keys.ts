import { targetArn } from './arn.ts';
import type { Caller } from './caller.ts';
import type { ServiceContext } from './context.ts';

/**
 * The context keys that every check has, whatever it is about (POLICY.md section 6). They are the service's to say:
 * nothing in a request's parameters can set one. What follows from the principal is the engine's.
 */
export function contextKeys(caller: Caller, context: ServiceContext): [key: string, value: string][] {
  const { connection, targetId, issued, mfa, access } = caller;
  const now = context.wallClock.now();
  const keys: [string, string][] = [
    ['aws:CurrentTime', new Date(now).toISOString()],
    ['aws:EpochTime', `${Math.floor(now / 1000)}`],
    ['aws:RequestedRegion', context.region],
    // Of what has no ARN, too, such as the list of sessions: another account's policies alone do not reach it.
    ['aws:ResourceAccount', context.accountId],
  ];
  if (connection.secure !== undefined) keys.push(['aws:SecureTransport', `${connection.secure}`]);
  if (connection.remoteAddress !== undefined) keys.push(['aws:SourceIp', sourceIp(connection.remoteAddress)]);
  if (issued !== undefined) keys.push(['aws:TokenIssueTime', new Date(issued).toISOString()]);
  if (mfa !== undefined) keys.push(['aws:MultiFactorAuthPresent', `${mfa}`]);
  if (mfa && issued !== undefined)
    keys.push(['aws:MultiFactorAuthAge', `${Math.floor((now - issued) / 1000)}`]);
  if (access) keys.push(['ssm:AccessRequestId', access.accessRequestId]);
  if (targetId !== undefined) {
    const arn = targetArn(targetId, context);
    keys.push(['ssm:SourceInstanceARN', arn]);
    if (arn.includes(':ec2:')) keys.push(['ec2:SourceInstanceARN', arn]);
  }
  return keys;
}

/** As a socket for both families tells an IPv4 peer, `::ffff:192.0.2.1`, no policy about IPv4 would mean it. */
function sourceIp(address: string): string {
  return address.replace(/^(?:::|(?:0+:){5})ffff:(?=\d+(?:\.\d+){3}$)/i, '');
}
