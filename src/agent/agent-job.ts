import type { AgentMessage } from '../channel/message.ts';
import { type AgentJob, formatAgentJobAck, parseAgentJob } from '../channel/payload/job.ts';

/** What is answered to Run Command and State Manager. */
export interface JobRefusal {
  /** Payload of `agent_job_ack`. */
  readonly payload: Uint8Array;
  /** What came, for people. */
  readonly description: string;
}

/**
 * Refuses an `agent_job` in the words of AWS's agent for documents that none of its workers takes (PROTOCOL.md section
 * 11; amazon-ssm-agent, mgsinteractor.go). Unanswered, the service would send it again.
 */
export function refuseJob(message: AgentMessage): JobRefusal {
  const job = readJob(message.payload);
  const [statusCode, errorMessage] = job
    ? ['51403', 'UnexpectedDocumentType']
    : ['51408', 'AgentJobMessageParseError'];
  return {
    payload: formatAgentJobAck({
      // The real agent knows no better for a job that it cannot read.
      jobId: job?.jobId ?? message.messageId,
      acknowledgedMessageId: message.messageId,
      createdDate: isoDate(message.createdDate),
      statusCode: statusCode!,
      errorMessage: errorMessage!,
    }),
    description: job ? `the job ${job.jobId} (${job.topic})` : 'a job that cannot be read',
  };
}

/** `undefined` for what the real agent could not parse: any other topic, or content that is not JSON. */
function readJob(payload: Uint8Array): AgentJob | undefined {
  try {
    const job = parseAgentJob(payload);
    JSON.parse(job.content);
    return TOPIC.test(job.topic) ? job : undefined;
  } catch {
    return undefined;
  }
}

const TOPIC = /^aws\.ssm\.(sendCommand|cancelCommand)/;

function isoDate(time: number): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? '' : date.toISOString();
}
