import { partitionOf } from '../core/endpoints.ts';

/** Where the keys are. */
export interface KeyScope {
  readonly region: string;
  /** 12 digits. */
  readonly accountId: string;
}

/** What a `KeyId` names: `key/<id>` or `alias/<name>`, and its ARN. */
export interface KeyName {
  readonly resource: string;
  readonly arn: string;
}

export function keyArn(id: string, scope: KeyScope): string {
  return arnOf(`key/${id}`, scope);
}

/** Of an id, the ARN of a key, an alias or the ARN of one. An ARN of elsewhere names what is not here. */
export function keyName(keyId: string, scope: KeyScope): KeyName {
  const home = arnOf('', scope);
  if (keyId.startsWith(home)) return { resource: keyId.slice(home.length), arn: keyId };
  if (keyId.startsWith('arn:')) return { resource: '', arn: keyId };
  const resource = keyId.startsWith('alias/') ? keyId : `key/${keyId}`;
  return { resource, arn: arnOf(resource, scope) };
}

function arnOf(resource: string, { region, accountId }: KeyScope): string {
  return `arn:${partitionOf(region).id}:kms:${region}:${accountId}:${resource}`;
}
