import { MessageError } from '../error.ts';
import {
  asObject,
  type JsonObject,
  own,
  readInteger,
  readJson,
  readOptionalString,
  readString,
  writeJson,
} from './json.ts';

/**
 * Payload of `interactive_shell`, the control-channel message that starts a session of any type
 * (PROTOCOL.md sections 1.1 and 5; CONTROL-PLANE.md section 3.2). On the wire the session's part is JSON text
 * inside JSON.
 */
export interface StartSessionTask {
  readonly documentName: string;
  /** The session document as written, before parameters are put in. */
  readonly documentContent: JsonObject;
  readonly sessionId: string;
  /** Plain strings for String parameters, lists for StringList. */
  readonly parameters: JsonObject;
  /** From the caller's tag; empty when there is none. */
  readonly runAsUser: string;
  /** ARN of the caller. */
  readonly sessionOwner: string;
}

/** @throws {MessageError} */
export function parseStartSessionTask(payload: Uint8Array): StartSessionTask {
  const outer = readJson(payload, 'interactive_shell');
  const content = parseContent(readString(outer, 'Content', 'interactive_shell'));
  return {
    documentName: readOptionalString(content, 'DocumentName', 'interactive_shell'),
    documentContent: asObject(own(content, 'DocumentContent'), 'DocumentContent of interactive_shell'),
    sessionId: readString(content, 'SessionId', 'interactive_shell'),
    parameters: asObject(own(content, 'Parameters') ?? {}, 'Parameters of interactive_shell'),
    runAsUser: readOptionalString(content, 'RunAsUser', 'interactive_shell'),
    sessionOwner: readOptionalString(content, 'SessionOwner', 'interactive_shell'),
  };
}

export function formatStartSessionTask(task: StartSessionTask): Uint8Array {
  const content = {
    DocumentName: task.documentName,
    DocumentContent: task.documentContent,
    SessionId: task.sessionId,
    Parameters: task.parameters,
    RunAsUser: task.runAsUser,
    SessionOwner: task.sessionOwner,
  };
  return writeJson({
    Content: JSON.stringify(content),
    TaskId: task.sessionId,
    Topic: 'aws.ssm.startSession',
    SchemaVersion: 1,
  });
}

/** Payload of `agent_task_complete`: the session is over at the agent. Sent on the control channel. */
export interface AgentTaskComplete {
  /** The session id. */
  readonly taskId: string;
  /** `Success` or `Failed` from agents today. */
  readonly finalTaskStatus: string;
  readonly instanceId: string;
  /** For people: why it failed. */
  readonly output: string;
  /** 1 for the first try. */
  readonly retryNumber: number;
  /** Where the agent put the session log; empty without one. */
  readonly s3Bucket: string;
  readonly s3UrlSuffix: string;
  readonly cwlGroup: string;
  readonly cwlStream: string;
  /** hawser's own member: exit status of the shell. */
  readonly exitCode?: number;
}

/** @throws {MessageError} */
export function parseAgentTaskComplete(payload: Uint8Array): AgentTaskComplete {
  const what = 'agent_task_complete';
  const json = readJson(payload, what);
  const exitCode = own(json, 'ExitCode');
  return {
    taskId: readString(json, 'TaskId', what),
    finalTaskStatus: readString(json, 'FinalTaskStatus', what),
    instanceId: readOptionalString(json, 'InstanceId', what),
    output: readOptionalString(json, 'Output', what),
    retryNumber: own(json, 'RetryNumber') === undefined ? 1 : readInteger(json, 'RetryNumber', what),
    s3Bucket: readOptionalString(json, 'S3Bucket', what),
    s3UrlSuffix: readOptionalString(json, 'S3UrlSuffix', what),
    cwlGroup: readOptionalString(json, 'CwlGroup', what),
    cwlStream: readOptionalString(json, 'CwlStream', what),
    ...(Number.isSafeInteger(exitCode) && { exitCode: exitCode as number }),
  };
}

export function formatAgentTaskComplete(task: AgentTaskComplete): Uint8Array {
  return writeJson({
    SchemaVersion: 1,
    TaskId: task.taskId,
    Topic: 'agent_task_complete',
    FinalTaskStatus: task.finalTaskStatus,
    IsRoutingFailure: false,
    AwsAccountId: '',
    InstanceId: task.instanceId,
    Output: task.output,
    S3Bucket: task.s3Bucket,
    S3UrlSuffix: task.s3UrlSuffix,
    CwlGroup: task.cwlGroup,
    CwlStream: task.cwlStream,
    RetryNumber: task.retryNumber,
    ExitCode: task.exitCode,
  });
}

/** Payload of `agent_task_acknowledge`: the service has the completion. */
export interface AgentTaskAcknowledge {
  /** MessageId of the `agent_task_complete` frame. */
  readonly messageId: string;
  readonly taskId: string;
}

/** @throws {MessageError} */
export function parseAgentTaskAcknowledge(payload: Uint8Array): AgentTaskAcknowledge {
  const json = readJson(payload, 'agent_task_acknowledge');
  return {
    messageId: readOptionalString(json, 'MessageId', 'agent_task_acknowledge'),
    taskId: readString(json, 'TaskId', 'agent_task_acknowledge'),
  };
}

export function formatAgentTaskAcknowledge({ messageId, taskId }: AgentTaskAcknowledge): Uint8Array {
  return writeJson({ SchemaVersion: 1, MessageId: messageId, TaskId: taskId, Topic: 'agent_task_complete' });
}

function parseContent(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new MessageError('ERR_MESSAGE_PAYLOAD', 'Expected Content of interactive_shell to be JSON text.');
  }
  return asObject(value, 'Content of interactive_shell');
}
