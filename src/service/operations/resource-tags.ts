import type { Principal } from '../../policy/index.ts';
import { ApiError } from '../api-error.ts';
import { documentArn, isManagedInstance, targetArn } from '../arn.ts';
import { list, string, structure } from '../shape.ts';
import { type Operation, type OperationParts, operation } from './operation.ts';
import { checkTagKeys, MAX_TAGS, TAG_KEY, TAGS, type Tags } from './tags.ts';

/** Something with tags. */
interface Resource {
  readonly arn: string;
  /** `undefined` for one that there is not, or that is not the caller's. */
  readonly tags: Tags | undefined;
  /** @param next without side effects; may throw */
  change(next: (tags: Tags) => Tags): Promise<unknown>;
}

const RESOURCE = { ResourceType: string({ max: 128 }), ResourceId: string({ min: 1, max: 400 }) };

/**
 * AddTagsToResource, RemoveTagsFromResource, ListTagsForResource, of session documents and of managed nodes but for
 * those whose tags are EC2's or ECS's: the host gives them with `registerTarget` (CONTROL-PLANE.md section 2.7).
 * Policies see the tags at the next call.
 */
export function resourceTags(parts: OperationParts): readonly Operation[] {
  const { authorization } = parts;
  return [
    operation({
      name: 'AddTagsToResource',
      input: structure({ ...RESOURCE, Tags: TAGS }),

      async handle({ ResourceType, ResourceId, Tags: given }, call) {
        const keys = given.map(({ Key }) => Key);
        checkTagKeys(keys, 'ValidationException');
        const added = Object.fromEntries(given.map(({ Key, Value }) => [Key, Value]));
        const resource = await resourceOf(ResourceType, ResourceId, call.principal, parts);
        const { arn, tags } = resource;
        await authorization.resource(call, 'ssm:AddTagsToResource', arn, tags ?? {}, { added, keys });
        if (!tags) throw new ApiError('InvalidResourceId', '');
        await resource.change((before) => {
          const after = { ...before, ...added };
          if (Object.keys(after).length > MAX_TAGS) throw new ApiError('TooManyTagsError', '');
          return after;
        });
        return {};
      },
    }),
    operation({
      name: 'RemoveTagsFromResource',
      input: structure({ ...RESOURCE, TagKeys: list(TAG_KEY) }),

      async handle({ ResourceType, ResourceId, TagKeys: keys }, call) {
        const resource = await resourceOf(ResourceType, ResourceId, call.principal, parts);
        const { arn, tags } = resource;
        await authorization.resource(call, 'ssm:RemoveTagsFromResource', arn, tags ?? {}, { keys });
        if (!tags) throw new ApiError('InvalidResourceId', '');
        await resource.change((before) =>
          Object.fromEntries(Object.entries(before).filter(([key]) => !keys.includes(key))),
        );
        return {};
      },
    }),
    operation({
      name: 'ListTagsForResource',
      input: structure(RESOURCE),

      async handle({ ResourceType, ResourceId }, call) {
        const { arn, tags } = await resourceOf(ResourceType, ResourceId, call.principal, parts);
        await authorization.resource(call, 'ssm:ListTagsForResource', arn, tags ?? {});
        if (!tags) throw new ApiError('InvalidResourceId', '');
        return { TagList: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) };
      },
    }),
  ];
}

/** @throws {ApiError} `InvalidResourceType` */
async function resourceOf(
  type: string,
  id: string,
  principal: Principal,
  { context, nodes, documents }: OperationParts,
): Promise<Resource> {
  if (type === 'Document') {
    const found = await documents.find(id);
    const isOwn = principal.accountId === context.accountId && found && !found.fixed;
    return {
      arn: documentArn(id, context),
      tags: isOwn ? found.record.tags : undefined,
      change: (next) => documents.change(id, (record) => ({ ...record, tags: next(record.tags) })),
    };
  }
  if (type === 'ManagedInstance') {
    const node = isManagedInstance(id) ? await nodes.get(id) : undefined;
    return {
      arn: targetArn(id, context),
      tags: node?.tags,
      change: (next) => nodes.changeTags(id, next),
    };
  }
  throw new ApiError('InvalidResourceType', '');
}
