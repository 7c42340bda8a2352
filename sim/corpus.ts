import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { utf8 } from '../src/base/encoding.ts';
import { MessageType, PayloadFlag, PayloadType } from '../src/channel/constants.ts';
import { encodeMessage } from '../src/channel/encode.ts';
import { formatAcknowledge } from '../src/channel/payload/acknowledge.ts';
import { formatChannelClosed } from '../src/channel/payload/channel-closed.ts';
import { formatEncryptionChallenge, kmsEncryptionResponse } from '../src/channel/payload/encryption.ts';
import {
  formatHandshakeComplete,
  formatHandshakeRequest,
  formatHandshakeResponse,
} from '../src/channel/payload/handshake.ts';
import {
  formatAgentJob,
  formatAgentJobAck,
  formatAgentJobReply,
  formatAgentJobReplyAck,
} from '../src/channel/payload/job.ts';
import { formatSessionState } from '../src/channel/payload/session-state.ts';
import {
  formatAgentTaskAcknowledge,
  formatAgentTaskComplete,
  formatStartSessionTask,
} from '../src/channel/payload/task.ts';
import { formatExitCode, formatFlag, formatSize } from '../src/channel/payload/terminal.ts';
import { sha256Digest } from '../src/crypto/digest.ts';

/** Frames to begin from: those recorded from the real programs, and one of every kind that the recordings lack. */
export function corpus(): readonly Uint8Array[] {
  return [...recordedFrames('test/vectors'), ...frames()];
}

/** @param directory relative to the repository, where npm runs scripts and vitest its tests */
function recordedFrames(directory: string): Uint8Array[] {
  const recorded = new Map<string, Uint8Array>();
  for (const file of readdirSync(directory).filter((name) => name.endsWith('.jsonl'))) {
    const kinds = new Map<string, number>();
    for (const line of readFileSync(join(directory, file), 'utf8').split('\n')) {
      if (line === '') continue;
      const { opcode, data } = JSON.parse(line) as { opcode?: string; data?: string };
      if (opcode !== 'binary' || !data) continue;
      const bytes = Buffer.from(data, 'base64');
      const kind = `${bytes.toString('latin1', 4, 36)}${bytes[115]}`;
      const seen = kinds.get(kind) ?? 0;
      kinds.set(kind, seen + 1);
      // Three of a kind from each recording: the rest differ in numbers only.
      if (seen < 3) recorded.set(data, new Uint8Array(bytes));
    }
  }
  return [...recorded.values()];
}

function frames(): Uint8Array[] {
  return samplePayloads().map(({ messageType, payloadType = 0, payload }) =>
    encodeMessage(
      {
        messageType,
        messageId: '01234567-89ab-4cde-8f01-23456789abcd',
        createdDate: 1_700_000_000_000,
        sequenceNumber: payloadType,
        payloadType,
        payload,
      },
      sha256Digest,
    ),
  );
}

export interface SamplePayload {
  readonly messageType: string;
  readonly payloadType?: number;
  readonly payload: Uint8Array;
}

/** A well-formed payload of every message type and payload type. */
export function samplePayloads(): SamplePayload[] {
  const input = MessageType.InputStreamData;
  const output = MessageType.OutputStreamData;
  const id = '01234567-89ab-4cde-8f01-23456789abcd';
  const sessionType = { SessionType: 'Port', Properties: { portNumber: '22', type: 'LocalPortForwarding' } };
  const action = { actionType: 'SessionType', actionStatus: 1, actionResult: null, error: '' };
  return [
    { messageType: input, payloadType: PayloadType.Output, payload: utf8('ls -l\r') },
    { messageType: output, payloadType: PayloadType.Output, payload: utf8('$ ') },
    { messageType: output, payloadType: PayloadType.StdErr, payload: utf8('not found') },
    { messageType: output, payloadType: PayloadType.Error, payload: utf8('error') },
    { messageType: input, payloadType: PayloadType.Size, payload: formatSize({ cols: 80, rows: 24 }) },
    { messageType: input, payloadType: PayloadType.Flag, payload: formatFlag(PayloadFlag.TerminateSession) },
    {
      messageType: output,
      payloadType: PayloadType.Flag,
      payload: formatFlag(PayloadFlag.ConnectToPortError),
    },
    { messageType: output, payloadType: PayloadType.ExitCode, payload: formatExitCode(7) },
    {
      messageType: output,
      payloadType: PayloadType.HandshakeRequest,
      payload: formatHandshakeRequest({
        agentVersion: '3.3.0.0',
        requestedClientActions: [
          { actionType: 'SessionType', actionParameters: sessionType },
          { actionType: 'KMSEncryption', actionParameters: { KMSKeyId: 'arn', Challenge: 'AAAA' } },
        ],
      }),
    },
    {
      messageType: input,
      payloadType: PayloadType.HandshakeResponse,
      payload: formatHandshakeResponse({
        clientVersion: '1.2.707.0',
        processedClientActions: [action],
        errors: ['none'],
      }),
    },
    {
      messageType: input,
      payloadType: PayloadType.HandshakeResponse,
      payload: formatHandshakeResponse({
        clientVersion: '1.2.707.0',
        processedClientActions: [
          { actionType: 'SessionType', actionStatus: 1, actionResult: null, error: '' },
          {
            actionType: 'KMSEncryption',
            actionStatus: 1,
            actionResult: kmsEncryptionResponse({
              ciphertextKey: Uint8Array.of(1, 2, 3),
              challengeAcknowledgement: true,
            }),
            error: '',
          },
        ],
        errors: [],
      }),
    },
    {
      messageType: output,
      payloadType: PayloadType.HandshakeComplete,
      payload: formatHandshakeComplete({ handshakeTimeToComplete: 5, customerMessage: 'hello' }),
    },
    {
      messageType: output,
      payloadType: PayloadType.EncChallengeRequest,
      payload: formatEncryptionChallenge(new Uint8Array(92)),
    },
    {
      messageType: MessageType.Acknowledge,
      payload: formatAcknowledge({ messageType: output, messageId: id, sequenceNumber: 3 }),
    },
    {
      messageType: MessageType.AgentSessionState,
      payload: formatSessionState({ sessionState: 'Connected', sessionId: 's' }),
    },
    { messageType: MessageType.StartPublication, payload: utf8('{}') },
    { messageType: MessageType.PausePublication, payload: utf8('{}') },
    {
      messageType: MessageType.ChannelClosed,
      payload: formatChannelClosed({
        messageId: id,
        destinationId: 'mi-1',
        sessionId: 's',
        createdDate: '2026-01-01T00:00:00Z',
        output: 'timed out',
        exitCode: 3,
        endReason: 'IdleTimeout',
      }),
    },
    {
      messageType: MessageType.InteractiveShell,
      payload: formatStartSessionTask({
        documentName: 'SSM-SessionManagerRunShell',
        documentContent: { schemaVersion: '1.0', sessionType: 'Standard_Stream', inputs: {} },
        sessionId: 's',
        parameters: { portNumber: '22' },
        runAsUser: '',
        sessionOwner: 'arn:aws:iam::1:user/a',
      }),
    },
    {
      messageType: MessageType.AgentTaskComplete,
      payload: formatAgentTaskComplete({
        taskId: 's',
        finalTaskStatus: 'Success',
        instanceId: 'mi-1',
        output: '',
        retryNumber: 1,
        s3Bucket: '',
        s3UrlSuffix: '',
        cwlGroup: '',
        cwlStream: '',
        exitCode: 0,
      }),
    },
    {
      messageType: MessageType.AgentTaskAcknowledge,
      payload: formatAgentTaskAcknowledge({ messageId: id, taskId: 's' }),
    },
    {
      messageType: MessageType.AgentJob,
      payload: formatAgentJob({ jobId: 'j', topic: 'aws.ssm.sendCommand', content: '{}' }),
    },
    {
      messageType: MessageType.AgentJobAck,
      payload: formatAgentJobAck({
        jobId: 'j',
        acknowledgedMessageId: id,
        createdDate: '2026-01-01T00:00:00Z',
        statusCode: '200',
        errorMessage: '',
      }),
    },
    {
      messageType: MessageType.AgentJobReply,
      payload: formatAgentJobReply({ jobId: 'j', topic: 't', content: '{}' }),
    },
    {
      messageType: MessageType.AgentJobReplyAck,
      payload: formatAgentJobReplyAck({ jobId: 'j', acknowledgedMessageId: id }),
    },
  ];
}
