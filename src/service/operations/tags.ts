import { ApiError } from '../api-error.ts';
import { type Infer, list, string, structure } from '../shape.ts';

const CHARACTERS = /^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$/u;

export const TAG_KEY = string({ min: 1, max: 128, pattern: CHARACTERS });

/** `TagList` of the API model. */
export const TAGS = list(structure({ Key: TAG_KEY, Value: string({ max: 256, pattern: CHARACTERS }) }), {
  max: 1000,
});

export type Tags = Readonly<Record<string, string>>;

/** Of one resource (CONTROL-PLANE.md section 2.7). */
export const MAX_TAGS = 50;

/** @throws {ApiError} `InvalidParameters` for too many, the same key twice, and keys that are AWS's own */
export function tagsOf(tags: Infer<typeof TAGS>): Tags {
  if (tags.length > MAX_TAGS) {
    throw new ApiError('InvalidParameters', `There can be ${MAX_TAGS} tags at most.`);
  }
  checkTagKeys(
    tags.map(({ Key }) => Key),
    'InvalidParameters',
  );
  return Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]));
}

/** @throws {ApiError} for the same key twice, and keys that are AWS's own */
export function checkTagKeys(
  keys: readonly string[],
  awsCode: 'InvalidParameters' | 'ValidationException',
): void {
  if (new Set(keys).size < keys.length) throw new ApiError(awsCode, 'A tag key can be used once.');
  if (keys.some((key) => /^aws:/i.test(key))) {
    throw new ApiError(awsCode, "Tag keys cannot begin with 'aws:'.");
  }
}
