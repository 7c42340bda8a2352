import { ApiError } from '../api-error.ts';
import { string, structure } from '../shape.ts';
import { type OperationParts, operation } from './operation.ts';

/** Its nodes stay registered. */
export function deleteActivation({ authorization, activations }: OperationParts) {
  return operation({
    name: 'DeleteActivation',
    input: structure({ ActivationId: string({ pattern: UUID }) }),

    async handle({ ActivationId }, call) {
      await authorization.account(call, 'ssm:DeleteActivation');
      if (await activations.delete(ActivationId)) return {};
      throw new ApiError('InvalidActivationId', `There is no activation ${ActivationId}.`);
    },
  });
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
