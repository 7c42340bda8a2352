import { string, structure } from '../shape.ts';
import { type OperationParts, operation } from './operation.ts';

/** CONTROL-PLANE.md section 2.5: a target that nobody knows is one that is not connected. */
export function getConnectionStatus({ authorization, nodes }: OperationParts) {
  return operation({
    name: 'GetConnectionStatus',
    input: structure({ Target: string({ min: 1, max: 400 }) }),

    async handle({ Target }, call) {
      const node = await nodes.getSettled(Target);
      await authorization.node(call, 'ssm:GetConnectionStatus', Target, node?.tags ?? {});
      return { Target, Status: node?.channel === undefined ? 'notconnected' : 'connected' };
    },
  });
}
