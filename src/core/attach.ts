import type { KeyService } from '../crypto/kms/key-service.ts';
import { dataChannelOpener } from './data-channel-opener.ts';
import type { StreamHosts } from './endpoints.ts';
import type { Platform } from './platform.ts';
import type { ResumeAnswer } from './resumption.ts';
import { platformWith } from './runtime.ts';
import { Session, type SessionOptions } from './session.ts';
import type { SessionAccess } from './session-api.ts';

export interface AttachOptions extends SessionOptions {
  /**
   * Asks whoever holds the rights for a ResumeSession when the connection is lost. No token in the answer
   * means that the session is over. Default: a lost connection is the end.
   */
  readonly resume?: ((options: { signal: AbortSignal }) => Promise<ResumeAnswer | undefined>) | undefined;
  /** Asks for a TerminateSession. Default: the agent alone is told, on the data channel. */
  readonly terminate?: ((options: { signal: AbortSignal }) => Promise<void>) | undefined;
  /** What gives the data key of a session that is encrypted with AWS KMS. Default: such a session is refused. */
  readonly keyService?: KeyService | undefined;
  /** `Target` of the StartSession: an encrypted session needs it. */
  readonly target?: string | undefined;
  /** Hosts that stream URLs may lead to, beside the message gateways of AWS: names, or `name:port`. */
  readonly allowedStreamHosts?: readonly string[] | undefined;
  /** Lets `ws:` lead to other machines. Default false. */
  readonly allowInsecure?: boolean | undefined;
  /** Parts of the world to replace. */
  readonly platform?: Partial<Platform> | undefined;
}

/**
 * Opens a session that somebody else has started: a broker holds the rights and calls StartSession, a browser
 * holds the socket. No credentials come near this end; ECS Exec's sessions fit as well.
 *
 * @throws {EndpointError} when the stream URL leads to a host that was not vouched for
 * @throws {TransportError} when the data channel cannot be opened
 * @throws {RangeError} for sizes out of range
 * @throws the reason of `signal`
 */
export async function attach(access: SessionAccess, options: AttachOptions = {}): Promise<Session> {
  return openSession(access, options, platformWith(options.platform), options);
}

/** What {@link attach} and the client share. */
export async function openSession(
  { sessionId, streamUrl, tokenValue }: SessionAccess,
  options: SessionOptions & Pick<AttachOptions, 'resume' | 'terminate' | 'keyService' | 'target'>,
  platform: Platform,
  hosts: StreamHosts,
): Promise<Session> {
  const { resume, terminate, keyService, target, signal } = options;
  const open = dataChannelOpener(platform, hosts);
  const socket = await open(streamUrl, tokenValue, signal);
  try {
    const link = { platform, sessionId, streamUrl, open, resume, terminate, keyService, target };
    return new Session(link, socket, options);
  } catch (error) {
    socket.close();
    throw error;
  }
}
