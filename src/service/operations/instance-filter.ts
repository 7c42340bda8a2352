import { ApiError } from '../api-error.ts';
import { agentVersion, pingStatus, platformType, resourceType, sourceType } from '../instance-information.ts';
import type { NodeRecord } from '../node-record.ts';
import { list, string, structure } from '../shape.ts';

const VALUES = list(string({ min: 1 }), { min: 1, max: 100 });

/** The older form, in lower case. */
export const INSTANCE_FILTER_LIST = list(structure({ key: string(), valueSet: VALUES }));

export const INSTANCE_FILTERS = list(structure({ Key: string({ min: 1 }), Values: VALUES }));

/** Either form, once read. */
export interface InstanceFilter {
  readonly key: string;
  readonly values: readonly string[];
}

/**
 * Whether a node passes all filters (CONTROL-PLANE.md section 2.7): by one of the values of each.
 *
 * @throws {ApiError} `InvalidFilterKey`, `InvalidInstanceInformationFilterValue`
 */
export function instanceFilter(
  filters: readonly InstanceFilter[],
  now: number,
): (node: NodeRecord) => boolean {
  const ofTags = filters.filter(({ key }) => isTagKey(key));
  if (ofTags.length > 0 && ofTags.length < filters.length) {
    throw invalidValue('Filters of tags cannot be used together with others.');
  }
  const predicates = filters.map((filter) => predicate(filter, now));
  return (node) => predicates.every((passes) => passes(node));
}

/** The nodes that `InstanceIds` asks for by name: each must be there. */
export function idsOf(filters: readonly InstanceFilter[]): readonly string[] {
  return filters.flatMap(({ key, values }) => (key === 'InstanceIds' ? values : []));
}

function isTagKey(key: string): boolean {
  return key === 'tag-key' || key.startsWith('tag:');
}

function predicate({ key, values }: InstanceFilter, now: number): (node: NodeRecord) => boolean {
  if (key === 'tag-key') return ({ tags }) => values.some((name) => Object.hasOwn(tags, name));
  if (key.startsWith('tag:')) {
    const name = key.slice('tag:'.length);
    return ({ tags }) => Object.hasOwn(tags, name) && values.includes(tags[name]!);
  }
  const filter = FILTERS.get(key);
  if (!filter) throw new ApiError('InvalidFilterKey', '');
  const { allowed } = filter;
  const wrong = allowed && values.find((value) => !allowed.includes(value));
  if (wrong !== undefined) throw invalidValue(`${key} must be one of ${allowed!.join(', ')}.`);
  return (node) => {
    const value = filter.valueOf(node, now);
    return value !== undefined && values.includes(value);
  };
}

interface Filter {
  valueOf(node: NodeRecord, now: number): string | undefined;
  readonly allowed?: readonly string[];
}

const PLATFORM: Filter = { valueOf: platformType, allowed: ['Windows', 'Linux', 'MacOS'] };

const FILTERS: ReadonlyMap<string, Filter> = new Map<string, Filter>([
  ['InstanceIds', { valueOf: ({ id }) => id }],
  ['SourceIds', { valueOf: ({ id }) => id }],
  ['AgentVersion', { valueOf: agentVersion }],
  ['PingStatus', { valueOf: pingStatus, allowed: ['Online', 'ConnectionLost', 'Inactive'] }],
  ['PlatformType', PLATFORM],
  ['PlatformTypes', PLATFORM],
  ['ActivationIds', { valueOf: ({ registration }) => registration?.activationId }],
  ['IamRole', { valueOf: ({ registration }) => registration?.iamRole }],
  ['ResourceType', { valueOf: resourceType, allowed: ['ManagedInstance', 'EC2Instance'] }],
  [
    'SourceTypes',
    {
      valueOf: sourceType,
      allowed: ['AWS::EC2::Instance', 'AWS::IoT::Thing', 'AWS::SSM::ManagedInstance'],
    },
  ],
  // Of State Manager: no node has one.
  ['AssociationStatus', { valueOf: () => undefined }],
]);

function invalidValue(message: string): ApiError {
  return new ApiError('InvalidInstanceInformationFilterValue', message);
}
