import { ApiError } from '../api-error.ts';
import { string, structure } from '../shape.ts';
import { IAM_ROLE } from './create-activation.ts';
import { type OperationParts, operation } from './operation.ts';

/** Ends the node's sessions, credentials and control channel at once (CONTROL-PLANE.md section 2.8). */
export function deregisterManagedInstance({ authorization, nodes, hybridNodes }: OperationParts) {
  return operation({
    name: 'DeregisterManagedInstance',
    input: structure({ InstanceId: MANAGED_INSTANCE_ID }),

    async handle({ InstanceId }, call) {
      const node = await nodes.get(InstanceId);
      await authorization.node(call, 'ssm:DeregisterManagedInstance', InstanceId, node?.tags ?? {});
      if (await hybridNodes.deregister(InstanceId)) return {};
      throw invalidInstanceId(InstanceId);
    },
  });
}

/** Credentials that the node has by then act as the old role until they expire, as at AWS. */
export function updateManagedInstanceRole({ authorization, nodes, hybridNodes }: OperationParts) {
  return operation({
    name: 'UpdateManagedInstanceRole',
    input: structure({
      InstanceId: MANAGED_INSTANCE_ID,
      IamRole: string({ min: 1, max: 64, pattern: IAM_ROLE }),
    }),

    async handle({ InstanceId, IamRole }, call) {
      const node = await nodes.get(InstanceId);
      await authorization.node(call, 'ssm:UpdateManagedInstanceRole', InstanceId, node?.tags ?? {});
      await authorization.passRole(call, IamRole);
      if (await hybridNodes.setRole(InstanceId, IamRole)) return {};
      throw invalidInstanceId(InstanceId);
    },
  });
}

const MANAGED_INSTANCE_ID = string({
  min: 20,
  max: 124,
  pattern: /(^mi-[0-9a-f]{17}$)|(^eks_c:[0-9A-Za-z][A-Za-z0-9\-_]{0,99}_\w{17}$)/,
});

function invalidInstanceId(id: string): ApiError {
  return new ApiError('InvalidInstanceId', `There is no managed node ${id}.`);
}
