import type { ActivationRecord } from '../activation-record.ts';
import { ApiError } from '../api-error.ts';
import { type Infer, integer, list, string, structure } from '../shape.ts';
import { type OperationParts, operation } from './operation.ts';
import { pageOf } from './page.ts';

const INPUT = structure(
  {},
  {
    Filters: list(structure({}, { FilterKey: string(), FilterValues: list(string()) })),
    MaxResults: integer({ min: 1, max: 50 }),
    NextToken: string({ max: 2000 }),
  },
);

type Filters = NonNullable<Infer<typeof INPUT>['Filters']>;

/** Those that have expired and those that are used up are listed, too. Newest first. */
export function describeActivations({ context, authorization, activations }: OperationParts) {
  return operation({
    name: 'DescribeActivations',
    input: INPUT,

    async handle({ Filters = [], MaxResults = 50, NextToken }, call) {
      await authorization.account(call, 'ssm:DescribeActivations');
      const passes = filterOf(Filters);
      const found = (await activations.list()).filter(passes);
      const query = JSON.stringify([
        'activations',
        Filters.map(({ FilterKey, FilterValues }) => [FilterKey, FilterValues]),
        call.principal.arn,
      ]);
      const { items, next } = pageOf(
        found,
        positionOf,
        { size: MaxResults, token: NextToken, query },
        context,
      );
      const now = context.wallClock.now();
      return { ActivationList: items.map((activation) => describe(activation, now)), ...next };
    },
  });
}

const KEYS: Readonly<Record<string, (activation: ActivationRecord) => string | undefined>> = {
  ActivationIds: ({ activationId }) => activationId,
  DefaultInstanceName: ({ defaultInstanceName }) => defaultInstanceName,
  IamRole: ({ iamRole }) => iamRole,
};

function filterOf(filters: Filters): (activation: ActivationRecord) => boolean {
  const predicates = filters.map(({ FilterKey = '', FilterValues = [] }) => {
    if (!Object.hasOwn(KEYS, FilterKey) || FilterValues.length === 0) {
      throw new ApiError(
        'InvalidFilter',
        `A filter has a FilterKey of ${Object.keys(KEYS).join(', ')}, and FilterValues.`,
      );
    }
    const values: readonly (string | undefined)[] = FilterValues;
    return (activation: ActivationRecord) => values.includes(KEYS[FilterKey]!(activation));
  });
  return (activation) => predicates.every((passes) => passes(activation));
}

function positionOf({ createdDate, activationId }: ActivationRecord) {
  return { date: createdDate, id: activationId };
}

/** The `Activation` shape. */
function describe(activation: ActivationRecord, now: number): object {
  const { description, defaultInstanceName, tags, registrations, code } = activation;
  return {
    ActivationId: activation.activationId,
    ...(description !== undefined && { Description: description }),
    ...(defaultInstanceName !== undefined && { DefaultInstanceName: defaultInstanceName }),
    IamRole: activation.iamRole,
    RegistrationLimit: activation.registrationLimit,
    RegistrationsCount: registrations.length,
    ExpirationDate: code.expires / 1000,
    Expired: code.expires <= now,
    CreatedDate: activation.createdDate / 1000,
    Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
  };
}
