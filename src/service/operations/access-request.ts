import { ApiError } from '../api-error.ts';
import { list, string, structure } from '../shape.ts';
import { type Operation, type OperationParts, operation } from './operation.ts';
import { TAGS, tagsOf } from './tags.ts';

/** `Targets` of the API model; of its kinds this service has one, the ids of nodes. */
const TARGETS = list(
  structure(
    {},
    { Key: string({ min: 1, max: 163 }), Values: list(string({ min: 1, max: 400 }), { max: 50 }) },
  ),
  { max: 5 },
);

/** StartAccessRequest and GetAccessToken (CONTROL-PLANE.md section 2.9). */
export function accessRequestOperations({
  authorization,
  nodes,
  accessRequests,
}: OperationParts): readonly Operation[] {
  return [
    operation({
      name: 'StartAccessRequest',
      input: structure({ Reason: string({ min: 1, max: 256 }), Targets: TARGETS }, { Tags: TAGS }),

      async handle({ Reason, Targets, Tags = [] }, call) {
        const tags = tagsOf(Tags);
        const targets = [...new Set(Targets.flatMap(targetsOf))];
        if (targets.length === 0) throw invalid(`${NO_TARGET} at least one node.`);
        const found = await Promise.all(targets.map((target) => nodes.get(target)));
        for (const [index, target] of targets.entries()) {
          await authorization.startAccessRequest(call, target, found[index]?.tags ?? {}, tags);
        }
        const { accessKeyId } = call;
        if (!accessRequests.areTaken || accessKeyId === undefined) throw notEnabled();
        const missing = targets.find((_, index) => !found[index]);
        if (missing !== undefined) throw notFound(`${missing} is not a managed node.`);
        const AccessRequestId = await accessRequests.start(
          { ...call, accessKeyId },
          { reason: Reason, targets, tags },
        );
        return { AccessRequestId };
      },
    }),
    operation({
      name: 'GetAccessToken',
      input: structure({ AccessRequestId: string({ pattern: /^(oi)-[0-9a-f]{12}$/ }) }),

      async handle({ AccessRequestId: id }, call) {
        const record = await accessRequests.get(id);
        await authorization.getAccessToken(call, id, record?.tags ?? {});
        if (!accessRequests.areTaken) throw notEnabled();
        // Of somebody else's request nobody learns that it is there.
        if (record?.requester.arn !== call.principal.arn) throw notFound(`There is no access request ${id}.`);
        const { status, accessUntil } = record;
        const credentials = status === 'Approved' ? await accessRequests.credentials(id) : undefined;
        if (!credentials || accessUntil === undefined) return { AccessRequestStatus: status };
        return {
          AccessRequestStatus: status,
          Credentials: {
            AccessKeyId: credentials.accessKeyId,
            SecretAccessKey: credentials.secretAccessKey,
            SessionToken: credentials.sessionToken,
            ExpirationTime: accessUntil / 1000,
          },
        };
      },
    }),
  ];
}

const NO_TARGET = 'Targets must have the Key InstanceIds and Values with';

function targetsOf({ Key, Values = [] }: { Key?: string; Values?: readonly string[] }): readonly string[] {
  if (Key?.toLowerCase() !== 'instanceids') throw invalid(`${NO_TARGET} ids of nodes.`);
  return Values;
}

function invalid(message: string): ApiError {
  return new ApiError('ValidationException', `1 validation error detected: ${message}`);
}

function notFound(message: string): ApiError {
  return new ApiError('ResourceNotFoundException', message);
}

/** The words of AWS. */
function notEnabled(): ApiError {
  return new ApiError(
    'ValidationException',
    'Just-In-Time Node Access service is not enabled in this account.',
  );
}
