import type { Refuse } from './error.ts';
import { isRecord, type JsonRecord, join, own } from './json-value.ts';
import { minutesOf } from './preferences.ts';
import { tokensIn } from './substitute.ts';

/** Checks the preferences (CONTROL-PLANE.md sections 3.1, 3.3 rule 5 and 3.5). Keys that are not known may be anything. */
export function checkInputs(inputs: unknown, refuse: Refuse): void {
  if (!isRecord(inputs)) throw refuse('inputs', 'must be an object');
  checkTexts(inputs, 'inputs', TEXTS, refuse);
  for (const key of FLAGS) {
    const flag = own(inputs, key) ?? false;
    if (typeof flag !== 'boolean' && !isFlagText(flag))
      throw refuse(join('inputs', key), 'must be a boolean');
  }
  // The agent takes no string for this one, and so no parameter.
  const streaming = own(inputs, 'cloudWatchStreamingEnabled') ?? false;
  if (typeof streaming !== 'boolean') {
    throw refuse('inputs.cloudWatchStreamingEnabled', 'must be a boolean, not in a string');
  }
  for (const [key, maximum] of MINUTES) {
    const value = own(inputs, key);
    const isLater = typeof value === 'string' && tokensIn(value).length > 0;
    if (!isLater && Number.isNaN(minutesOf(value, maximum))) {
      throw refuse(join('inputs', key), `must be 1 to ${maximum} minutes, or empty`);
    }
  }
  const profile = own(inputs, 'shellProfile') ?? {};
  if (!isRecord(profile)) throw refuse('inputs.shellProfile', 'must be an object');
  checkTexts(profile, 'inputs.shellProfile', ['windows', 'linux'], refuse);
}

/** As the agent reads a boolean in a string, also one that a parameter will make. */
export function isFlagText(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  return /^(?:|1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/.test(value) || tokensIn(value).length > 0;
}

const TEXTS = [
  's3BucketName',
  's3KeyPrefix',
  'cloudWatchLogGroupName',
  'kmsKeyId',
  'runAsDefaultUser',
] as const;
const FLAGS = ['s3EncryptionEnabled', 'cloudWatchEncryptionEnabled', 'runAsEnabled'] as const;
const MINUTES = [
  ['idleSessionTimeout', 60],
  ['maxSessionDuration', 1440],
] as const;

function checkTexts(record: JsonRecord, path: string, keys: readonly string[], refuse: Refuse): void {
  for (const key of keys) {
    if (typeof (own(record, key) ?? '') !== 'string') throw refuse(join(path, key), 'must be a string');
  }
}
