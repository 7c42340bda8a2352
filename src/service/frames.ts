import { MessageFlags, MessageType } from '../channel/constants.ts';
import { encodeMessage, type MessageFields } from '../channel/encode.ts';
import { MAX_PAYLOAD_SIZE } from '../channel/limits.ts';
import { FRAME_OVERHEAD, Offset } from '../channel/message.ts';
import { formatAcknowledge } from '../channel/payload/acknowledge.ts';
import { formatChannelClosed } from '../channel/payload/channel-closed.ts';
import { formatAgentJobReplyAck } from '../channel/payload/job.ts';
import { formatPublication } from '../channel/payload/publication.ts';
import { formatAgentTaskAcknowledge, formatStartSessionTask } from '../channel/payload/task.ts';
import { formatUuid } from '../channel/uuid.ts';
import type { ServiceContext } from './context.ts';
import type { SessionRecord } from './session-record.ts';
import { type StreamType, sequenceNumberOf } from './stream-data.ts';

/** The messages that the service itself makes; the others it only passes on (PROTOCOL.md section 5). */
type FrameContext = Pick<ServiceContext, 'clock' | 'random' | 'digest'>;

/** Starts the session on the node: for its control channel. */
export function startSessionFrame(record: SessionRecord, context: FrameContext): Uint8Array {
  const payload = formatStartSessionTask({
    documentName: record.documentName,
    documentContent: { ...record.documentContent },
    sessionId: record.sessionId,
    parameters: record.parameters,
    runAsUser: record.runAsUser,
    sessionOwner: record.owner.arn,
  });
  return frame(MessageType.InteractiveShell, payload, context);
}

/** To the agent, on either channel: end the session. To the client: it has ended, and why. */
export function channelClosedFrame(record: EndedSession, context: FrameContext): Uint8Array {
  const messageId = context.random.uuid();
  const payload = formatChannelClosed({
    messageId,
    destinationId: record.target,
    sessionId: record.sessionId,
    createdDate: new Date(context.clock.now()).toISOString(),
    output: record.details ?? '',
    ...(record.exitCode !== undefined && { exitCode: record.exitCode }),
    ...(record.endReason !== undefined && { endReason: record.endReason }),
  });
  return frame(MessageType.ChannelClosed, payload, context, { messageId });
}

/** What must be known of a session to say that it is over: of one that nobody knows, the first two members. */
export type EndedSession = Pick<SessionRecord, 'sessionId' | 'target'> &
  Partial<Pick<SessionRecord, 'details' | 'exitCode' | 'endReason'>>;

/** The completion has been recorded; the agent need not send it again. */
export function taskAcknowledgeFrame(messageId: string, taskId: string, context: FrameContext): Uint8Array {
  return frame(MessageType.AgentTaskAcknowledge, formatAgentTaskAcknowledge({ messageId, taskId }), context);
}

/** A result of Run Command has come; the agent need not send it again. */
export function jobReplyAcknowledgeFrame(
  messageId: string,
  jobId: string,
  context: FrameContext,
): Uint8Array {
  const payload = formatAgentJobReplyAck({ jobId, acknowledgedMessageId: messageId });
  return frame(MessageType.AgentJobReplyAck, payload, context);
}

/** Repeats for an end of a session that it has this message of the other's stream. */
export function acknowledgeFrame(
  message: Uint8Array,
  messageType: StreamType,
  context: FrameContext,
): Uint8Array {
  const messageId = formatUuid(message, Offset.MessageId);
  const payload = formatAcknowledge({ messageType, messageId, sequenceNumber: sequenceNumberOf(message) });
  return frame(MessageType.Acknowledge, payload, context, { flags: MessageFlags.SynFin });
}

/** The other end is there, and so large may the payloads be. */
export function startPublicationFrame(context: FrameContext & Pick<ServiceContext, 'limits'>): Uint8Array {
  const payloadSize = Math.min(context.limits.frame - FRAME_OVERHEAD, MAX_PAYLOAD_SIZE);
  return frame(MessageType.StartPublication, formatPublication({ payloadSize }), context);
}

/** The other end is not there. */
export function pausePublicationFrame(context: FrameContext): Uint8Array {
  return frame(MessageType.PausePublication, formatPublication({}), context);
}

function frame(
  messageType: string,
  payload: Uint8Array,
  { clock, random, digest }: FrameContext,
  fields: Partial<MessageFields> = {},
): Uint8Array {
  const messageId = fields.messageId ?? random.uuid();
  return encodeMessage({ ...fields, messageType, messageId, createdDate: clock.now(), payload }, digest);
}
