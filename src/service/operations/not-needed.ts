import { structure } from '../shape.ts';
import { type ApiName, nodeOperation, type Operation, type OperationParts } from './operation.ts';

/**
 * What agents call for State Manager, Inventory and Run Command, which this service does not have. Any error would
 * have them try again and fill their logs, so they are told that all is well and there is nothing to do
 * (CONTROL-PLANE.md section 2.7; `agent/ssm/service.go` and `agent/runcommand/mds/service.go` of amazon-ssm-agent).
 */
export function notNeeded({ context }: OperationParts): readonly Operation[] {
  return ANSWERS.map(([api, name, answer]) =>
    nodeOperation({ name, api, input: structure({}), handle: async () => answer }, context),
  );
}

const ANSWERS: readonly (readonly [ApiName, string, object])[] = [
  ['ssm', 'ListInstanceAssociations', { Associations: [] }],
  ['ssm', 'UpdateInstanceAssociationStatus', {}],
  ['ssm', 'PutInventory', {}],
  ['ssm', 'PutComplianceItems', {}],
  ['ec2messages', 'AcknowledgeMessage', {}],
  ['ec2messages', 'SendReply', {}],
  ['ec2messages', 'FailMessage', {}],
  ['ec2messages', 'DeleteMessage', {}],
];
