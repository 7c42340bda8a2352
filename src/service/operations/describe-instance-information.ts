import { ApiError } from '../api-error.ts';
import { instanceInformation } from '../instance-information.ts';
import type { NodeRecord } from '../node-record.ts';
import { type Infer, integer, string, structure } from '../shape.ts';
import {
  INSTANCE_FILTER_LIST,
  INSTANCE_FILTERS,
  type InstanceFilter,
  idsOf,
  instanceFilter,
} from './instance-filter.ts';
import { type OperationParts, operation } from './operation.ts';
import { pageOf } from './page.ts';

const INPUT = structure(
  {},
  {
    InstanceInformationFilterList: INSTANCE_FILTER_LIST,
    Filters: INSTANCE_FILTERS,
    MaxResults: integer({ min: 5, max: 50 }),
    NextToken: string({ max: 2000 }),
  },
);

/** CONTROL-PLANE.md section 2.7. Registered last, listed first. */
export function describeInstanceInformation({ context, authorization, nodes }: OperationParts) {
  return operation({
    name: 'DescribeInstanceInformation',
    input: INPUT,

    async handle(input, call) {
      await authorization.account(call, 'ssm:DescribeInstanceInformation');
      const { MaxResults = 10, NextToken } = input;
      const filters = filtersOf(input);
      const now = context.wallClock.now();
      const passes = instanceFilter(filters, now);
      const all = await nodes.list();
      const unknown = idsOf(filters).find((wanted) => all.every(({ id }) => id !== wanted));
      if (unknown !== undefined) {
        throw new ApiError('InvalidInstanceId', `There is no managed node ${unknown.slice(0, 400)}.`);
      }
      const query = JSON.stringify(['instances', filters, call.principal.arn]);
      const page = { size: MaxResults, token: NextToken, query };
      const { items, next } = pageOf(all.filter(passes), positionOf, page, context);
      return { InstanceInformationList: items.map((node) => instanceInformation(node, now)), ...next };
    },
  });
}

function filtersOf(input: Infer<typeof INPUT>): readonly InstanceFilter[] {
  const { InstanceInformationFilterList: older, Filters: newer } = input;
  if (older && newer) {
    throw new ApiError(
      'ValidationException',
      'Filters and InstanceInformationFilterList cannot be used together.',
    );
  }
  return [
    ...(older ?? []).map(({ key, valueSet }) => ({ key, values: valueSet })),
    ...(newer ?? []).map(({ Key, Values }) => ({ key: Key, values: Values })),
  ];
}

function positionOf({ registration, id }: NodeRecord) {
  return { date: registration?.date ?? 0, id };
}
