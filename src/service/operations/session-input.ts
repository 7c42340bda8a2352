import { ApiError } from '../api-error.ts';
import { string, structure } from '../shape.ts';

/** The input of the operations on one session. */
export const SESSION_INPUT = structure({ SessionId: string({ min: 1, max: 96 }) });

export function doesNotExist(sessionId: string): ApiError {
  return new ApiError('DoesNotExistException', `Session ${sessionId} does not exist.`);
}
