import { own, readJson, readOptionalString, readString, writeJson } from './json.ts';

/**
 * Run Command over the control channel (PROTOCOL.md section 11). Sessions never use it; an agent must answer it
 * and a service may meet it.
 */
export interface AgentJob {
  readonly jobId: string;
  readonly topic: string;
  /** JSON text. */
  readonly content: string;
}

/** Payload of `agent_job_ack`: agent to service. */
export interface AgentJobAck {
  readonly jobId: string;
  readonly acknowledgedMessageId: string;
  /** `200`, or one of 51401 to 51408 and 51499. */
  readonly statusCode: string;
  readonly errorMessage: string;
  /** ISO 8601. */
  readonly createdDate: string;
}

/** Payload of `agent_job_reply`: agent to service. Its content is Run Command's business. */
export interface AgentJobReply {
  readonly jobId: string;
  readonly content: string;
  readonly topic: string;
}

/** Payload of `agent_job_reply_ack`: service to agent. */
export interface AgentJobReplyAck {
  readonly jobId: string;
  readonly acknowledgedMessageId: string;
}

/** @throws {MessageError} */
export function parseAgentJob(payload: Uint8Array): AgentJob {
  const json = readJson(payload, 'agent_job');
  return {
    jobId: readString(json, 'JobId', 'agent_job'),
    topic: readOptionalString(json, 'Topic', 'agent_job'),
    content: readOptionalString(json, 'Content', 'agent_job'),
  };
}

export function formatAgentJob({ jobId, topic, content }: AgentJob): Uint8Array {
  return writeJson({ Content: content, JobId: jobId, Topic: topic, SchemaVersion: 1 });
}

/** @throws {MessageError} */
export function parseAgentJobAck(payload: Uint8Array): AgentJobAck {
  const json = readJson(payload, 'agent_job_ack');
  const status = own(json, 'statusCode');
  return {
    jobId: readString(json, 'jobId', 'agent_job_ack'),
    acknowledgedMessageId: readOptionalString(json, 'acknowledgedMessageId', 'agent_job_ack'),
    statusCode:
      typeof status === 'number' ? String(status) : readOptionalString(json, 'statusCode', 'agent_job_ack'),
    errorMessage: readOptionalString(json, 'errorMessage', 'agent_job_ack'),
    createdDate: readOptionalString(json, 'createdDate', 'agent_job_ack'),
  };
}

export function formatAgentJobAck(ack: AgentJobAck): Uint8Array {
  return writeJson({
    jobId: ack.jobId,
    acknowledgedMessageId: ack.acknowledgedMessageId,
    createdDate: ack.createdDate,
    statusCode: ack.statusCode,
    errorMessage: ack.errorMessage,
  });
}

/** @throws {MessageError} */
export function parseAgentJobReply(payload: Uint8Array): AgentJobReply {
  const json = readJson(payload, 'agent_job_reply');
  return {
    jobId: readOptionalString(json, 'jobId', 'agent_job_reply'),
    content: readOptionalString(json, 'content', 'agent_job_reply'),
    topic: readOptionalString(json, 'topic', 'agent_job_reply'),
  };
}

export function formatAgentJobReply({ jobId, content, topic }: AgentJobReply): Uint8Array {
  return writeJson({ jobId, topic, content });
}

/** @throws {MessageError} */
export function parseAgentJobReplyAck(payload: Uint8Array): AgentJobReplyAck {
  const json = readJson(payload, 'agent_job_reply_ack');
  return {
    jobId: readString(json, 'jobId', 'agent_job_reply_ack'),
    acknowledgedMessageId: readOptionalString(json, 'acknowledgedMessageId', 'agent_job_reply_ack'),
  };
}

export function formatAgentJobReplyAck({ jobId, acknowledgedMessageId }: AgentJobReplyAck): Uint8Array {
  return writeJson({ jobId, acknowledgedMessageId });
}
