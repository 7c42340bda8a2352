import { partitionOf } from '../core/endpoints.ts';

/** Where the resources are. */
export interface ArnScope {
  readonly region: string;
  readonly accountId: string;
}

/** ARN of a target (CONTROL-PLANE.md section 2.1.1): EC2 instance, ECS task, or else managed instance. */
export function targetArn(target: string, scope: ArnScope): string {
  if (/^i-\w+$/.test(target)) return arn('ec2', `instance/${target}`, scope);
  const task = /^ecs:(.+)_([^_]+)_[^_]+$/.exec(target);
  if (task) return arn('ecs', `task/${task[1]}/${task[2]}`, scope);
  return arn('ssm', `managed-instance/${target}`, scope);
}

export function documentArn(name: string, scope: ArnScope): string {
  return arn('ssm', `document/${name}`, isAmazons(name) ? { ...scope, accountId: '' } : scope);
}

/** Documents whose name begins with `AWS-` are Amazon's, and no account's. */
export function isAmazons(documentName: string): boolean {
  return documentName.startsWith('AWS-');
}

/** Whether its {@link targetArn} is that of a managed instance: what is neither EC2's nor ECS's. */
export function isManagedInstance(target: string): boolean {
  return !/^i-\w+$/.test(target) && !target.startsWith('ecs:');
}

/** @param settingId `/ssm/managed-instance/activation-tier` */
export function settingArn(settingId: string, scope: ArnScope): string {
  return arn('ssm', `servicesetting${settingId}`, scope);
}

/** @param name with or without a slash in front */
export function parameterArn(name: string, scope: ArnScope): string {
  return arn('ssm', `parameter${name.startsWith('/') ? '' : '/'}${name}`, scope);
}

/** The name of a parameter given by name or by ARN; `undefined` for what is neither, and for those that are elsewhere. */
export function parameterName(nameOrArn: string, scope: ArnScope): string | undefined {
  const start = parameterArn('', scope);
  const rest = nameOrArn.startsWith(start) ? nameOrArn.slice(start.length) : undefined;
  // Only names with levels have a slash in front, which their ARN does not repeat.
  const name = rest === undefined ? nameOrArn : rest.includes('/') ? `/${rest}` : rest;
  return /^[\w.\-/]+$/.test(name) ? name : undefined;
}

export function sessionArn(sessionId: string, scope: ArnScope): string {
  return arn('ssm', `session/${sessionId}`, scope);
}

/** A request for access is an item of OpsCenter (POLICY.md section 6). */
export function opsItemArn(id: string, scope: ArnScope): string {
  return arn('ssm', `opsitem/${id}`, scope);
}

/** Every resource of the service of an action: what actions without resources are refused on (POLICY.md section 2). */
export function anyResource(action: string, scope: ArnScope): string {
  return arn(action.slice(0, action.indexOf(':')), '*', scope);
}

/** @param iamRole name, with or without its path: `service-role/Node` */
export function roleArn(iamRole: string, scope: ArnScope): string {
  return arn('iam', `role/${iamRole}`, { ...scope, region: '' }, scope.region);
}

/** A session has the name of its role without the path. */
export function assumedRoleArn(iamRole: string, sessionName: string, scope: ArnScope): string {
  const name = iamRole.slice(iamRole.lastIndexOf('/') + 1);
  return arn('sts', `assumed-role/${name}/${sessionName}`, { ...scope, region: '' }, scope.region);
}

/** @param pathAndName `/jane`, `/staff/jane` */
export function userArn(pathAndName: string, scope: ArnScope): string {
  return arn('iam', `user${pathAndName}`, { ...scope, region: '' }, scope.region);
}

export function rootArn(scope: ArnScope): string {
  return arn('iam', 'root', { ...scope, region: '' }, scope.region);
}

export function federatedUserArn(name: string, scope: ArnScope): string {
  return arn('sts', `federated-user/${name}`, { ...scope, region: '' }, scope.region);
}

export function sessionNameOf(principalArn: string): string {
  return principalArn.slice(principalArn.lastIndexOf('/') + 1);
}

/** The session of a role that is called as a hybrid node. */
export function isNodeRole(principalArn: string): boolean {
  return /:assumed-role\/[^/]+\/mi-[0-9a-f]{17}$/.test(principalArn);
}

/**
 * The name of a document given by name or by ARN; `undefined` for an ARN of something else, another region or
 * another account.
 */
export function documentName(nameOrArn: string, scope: ArnScope): string | undefined {
  if (!nameOrArn.startsWith('arn:')) return nameOrArn;
  const name = nameOrArn.slice(nameOrArn.lastIndexOf('/') + 1);
  return nameOrArn === documentArn(name, scope) ? name : undefined;
}

/** @param home where the partition is looked up, for services that have no regions */
function arn(
  service: string,
  resource: string,
  { region, accountId }: ArnScope,
  home: string = region,
): string {
  return `arn:${partitionOf(home).id}:${service}:${region}:${accountId}:${resource}`;
}
