import { ApiError } from '../api-error.ts';
import { integer, list, string, structure, timestamp } from '../shape.ts';
import { type OperationParts, operation } from './operation.ts';
import { TAGS, tagsOf } from './tags.ts';

const NAME = /^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$/u;
const NOT_BLANK = /^(?!\s*$).+/;

/** CONTROL-PLANE.md section 2.8. `RegistrationMetadata` has no use here and is taken as it is. */
export function createActivation({ context, authorization, activations }: OperationParts) {
  return operation({
    name: 'CreateActivation',
    input: structure(
      { IamRole: string({ min: 1, max: 64, pattern: IAM_ROLE }) },
      {
        Description: string({ max: 256 }),
        DefaultInstanceName: string({ max: 256, pattern: NAME }),
        RegistrationLimit: integer({ min: 1, max: 1000 }),
        ExpirationDate: timestamp(),
        Tags: TAGS,
        RegistrationMetadata: list(
          structure({
            Key: string({ min: 1, max: 128, pattern: NOT_BLANK }),
            Value: string({ min: 1, max: 2048, pattern: NOT_BLANK }),
          }),
        ),
      },
    ),

    async handle(input, call) {
      const { IamRole, Description, DefaultInstanceName, RegistrationLimit = 1, Tags = [] } = input;
      const tags = tagsOf(Tags);
      const now = context.wallClock.now();
      const expires = input.ExpirationDate ?? now + DEFAULT_LIFE;
      if (expires <= now || expires > now + MAX_LIFE) {
        throw new ApiError('InvalidParameters', 'The expiration date must be within the next 30 days.');
      }
      await authorization.createActivation(call, IamRole, tags);
      const { activationId, code } = await activations.create({
        iamRole: IamRole,
        ...(Description !== undefined && { description: Description }),
        ...(DefaultInstanceName !== undefined && { defaultInstanceName: DefaultInstanceName }),
        tags,
        registrationLimit: RegistrationLimit,
        expires,
      });
      return { ActivationId: activationId, ActivationCode: code };
    },
  });
}

/** What can stand in an ARN: the name of a role, with or without its path. A path alone would name no role. */
export const IAM_ROLE = /^[\w+=,.@/-]*[\w+=,.@-]$/;

const DAY = 24 * 3_600_000;
const DEFAULT_LIFE = DAY;
const MAX_LIFE = 30 * DAY;
