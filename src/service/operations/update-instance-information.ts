import { notRegistered } from '../role-credentials.ts';
import { string, structure } from '../shape.ts';
import { nodeOperation, type OperationParts } from './operation.ts';

const TEXT = string();

/** Characters: what an agent says of itself must neither fill the store nor make its call fail. */
const MAX_KEPT = 256;

const MEMBERS = {
  AgentName: TEXT,
  AgentStatus: TEXT,
  AgentVersion: TEXT,
  AvailabilityZone: TEXT,
  AvailabilityZoneId: TEXT,
  ComputerName: TEXT,
  IPAddress: TEXT,
  PlatformName: TEXT,
  PlatformType: TEXT,
  PlatformVersion: TEXT,
  SSMConnectionChannel: TEXT,
};

/**
 * The ping of an agent, every 5 minutes (CONTROL-PLANE.md section 2.7). The first of two at start has a few members
 * only, and any can be empty.
 */
export function updateInstanceInformation({ context, authorization, nodes }: OperationParts) {
  return nodeOperation(
    {
      name: 'UpdateInstanceInformation',
      input: structure({ InstanceId: string({ min: 1, max: 400 }) }, MEMBERS),

      async handle({ InstanceId, ...members }, call) {
        await authorization.agent(call, 'ssm:UpdateInstanceInformation');
        const entries = Object.entries(members as Readonly<Record<string, string>>);
        const information = Object.fromEntries(
          entries.map(([name, value]) => [nameOf(name), value.slice(0, MAX_KEPT)]),
        );
        if (await nodes.report(InstanceId, information)) return {};
        throw notRegistered(InstanceId);
      },
    },
    context,
  );
}

/** `AgentName` becomes `agentName`, `IPAddress` `ipAddress`, `SSMConnectionChannel` `ssmConnectionChannel`. */
function nameOf(member: string): string {
  return member.replace(/^(?:IP|SSM|.)/, (start) => start.toLowerCase());
}
