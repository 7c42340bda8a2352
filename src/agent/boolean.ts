import { AgentError } from './error.ts';

const TRUE: readonly unknown[] = [true, '1', 't', 'T', 'TRUE', 'true', 'True'];
const FALSE: readonly unknown[] = [
  ...[false, null, undefined, ''],
  ...['0', 'f', 'F', 'FALSE', 'false', 'False'],
];

/**
 * A boolean of a session document, which may be text, since a parameter is (CONTROL-PLANE.md section 3.3, rule 5).
 *
 * @throws {AgentError} `ERR_AGENT_START`
 */
export function toBoolean(name: string, value: unknown): boolean {
  if (TRUE.includes(value)) return true;
  if (FALSE.includes(value)) return false;
  throw new AgentError(
    'ERR_AGENT_START',
    `${name} of the session document must be true or false, not ${JSON.stringify(value)}.`,
  );
}
