import { ApiError } from '../api-error.ts';
import { type Infer, list, string, structure } from '../shape.ts';

const CHARACTERS = /^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$/u;

/** `TagList` of the API model. */
export const TAGS = list(
  structure({
    Key: string({ min: 1, max: 128, pattern: CHARACTERS }),
    Value: string({ max: 256, pattern: CHARACTERS }),
  }),
  { max: 1000 },
);

/** Of one resource (CONTROL-PLANE.md section 2.7). */
const MAX_TAGS = 50;

/** @throws {ApiError} `InvalidParameters` for too many, the same key twice, and keys that are AWS's own */
export function tagsOf(tags: Infer<typeof TAGS>): Readonly<Record<string, string>> {
  if (tags.length > MAX_TAGS) throw invalid(`There can be ${MAX_TAGS} tags at most.`);
  const entries = new Map(tags.map(({ Key, Value }) => [Key, Value]));
  if (entries.size < tags.length) throw invalid('A tag key can be used once.');
  if ([...entries.keys()].some((key) => /^aws:/i.test(key)))
    throw invalid("Tag keys cannot begin with 'aws:'.");
  return Object.fromEntries(entries);
}

function invalid(message: string): ApiError {
  return new ApiError('InvalidParameters', message);
}
