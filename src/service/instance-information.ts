import type { NodeRecord, SourceType } from './node-record.ts';

/** `PingStatus` of DescribeInstanceInformation. */
export type PingStatus = 'Online' | 'ConnectionLost' | 'Inactive';

/** Milliseconds: 3 times the 5 minutes after which agents say again that they are there (CONTROL-PLANE.md section 2.7). */
const ONLINE = 15 * 60_000;

/** A node that does not use UpdateInstanceInformation is online while it has a control channel. */
export function pingStatus({ lastPing, channel }: NodeRecord, now: number): PingStatus {
  if (lastPing === undefined) return channel === undefined ? 'Inactive' : 'Online';
  return now < lastPing + ONLINE ? 'Online' : 'ConnectionLost';
}

/** `PlatformType`: agents call it `linux`, `Linux`, `darwin`. */
export function platformType(node: NodeRecord): string | undefined {
  const type = node.information?.platformType || node.platformType;
  return type && (PLATFORM_TYPES.get(type.toLowerCase()) ?? type);
}

const PLATFORM_TYPES: ReadonlyMap<string, string> = new Map([
  ['linux', 'Linux'],
  ['windows', 'Windows'],
  ['darwin', 'MacOS'],
  ['macos', 'MacOS'],
]);

export function agentVersion({ information, agentVersion: told }: NodeRecord): string | undefined {
  return information?.agentVersion || told || undefined;
}

export function resourceType({ id }: NodeRecord): 'ManagedInstance' | 'EC2Instance' {
  return id.startsWith('i-') ? 'EC2Instance' : 'ManagedInstance';
}

/** The `InstanceInformation` shape: times in seconds; what is not known, or empty, is left out. */
export function instanceInformation(node: NodeRecord, now: number): object {
  const { id, information = {}, registration, lastPing } = node;
  const members: Readonly<Record<string, string | number | boolean | undefined>> = {
    InstanceId: id,
    PingStatus: pingStatus(node, now),
    LastPingDateTime: lastPing === undefined ? undefined : lastPing / 1000,
    AgentVersion: agentVersion(node),
    // There is no newer one that this service could offer.
    IsLatestVersion: true,
    PlatformType: platformType(node),
    PlatformName: information.platformName,
    PlatformVersion: information.platformVersion,
    ActivationId: registration?.activationId,
    IamRole: registration?.iamRole,
    RegistrationDate: registration && registration.date / 1000,
    ResourceType: resourceType(node),
    Name: registration?.name,
    IPAddress: information.ipAddress,
    ComputerName: information.computerName,
    SourceId: id,
    SourceType: sourceType(node),
  };
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined && value !== ''),
  );
}

export function sourceType(node: NodeRecord): SourceType {
  if (node.sourceType) return node.sourceType;
  return resourceType(node) === 'EC2Instance' ? 'AWS::EC2::Instance' : 'AWS::SSM::ManagedInstance';
}
