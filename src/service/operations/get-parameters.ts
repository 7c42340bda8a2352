import { parameterArn, parameterName } from '../arn.ts';
import type { ParameterStore, StoredParameter } from '../parameter-store.ts';
import { boolean, list, string, structure } from '../shape.ts';
import { type OperationParts, operation } from './operation.ts';

/**
 * For agents, which put `{{ssm:name}}` and `{{ssm:name:version}}` of session documents in by themselves (CONTROL-PLANE.md
 * section 2.10).
 */
export function getParameters({ context, authorization }: OperationParts, parameters: ParameterStore) {
  return operation({
    name: 'GetParameters',
    input: structure(
      { Names: list(string({ min: 1, max: 2048 }), { min: 1, max: 10 }) },
      // Of SecureString parameters.
      { WithDecryption: boolean() },
    ),

    async handle({ Names }, call) {
      const asked = [...new Set(Names)].map((given) => {
        const [, nameOrArn = given, version] = VERSIONED.exec(given) ?? [];
        return { given, name: parameterName(nameOrArn, context), version };
      });
      for (const { given, name } of asked) {
        const resource = name === undefined ? given : parameterArn(name, context);
        await authorization.resource(call, 'ssm:GetParameters', resource, {});
      }
      const found: object[] = [];
      const invalid: string[] = [];
      for (const { given, name, version } of asked) {
        const parameter =
          name === undefined ? undefined : await parameters(name, version ? Number(version) : undefined);
        if (parameter) found.push(shown(name!, parameter, version));
        else invalid.push(given);
      }
      return { Parameters: found, InvalidParameters: invalid };
    },
  });

  /** The `Parameter` shape. An agent finds its reference again by the name, without the version, and the version. */
  function shown(name: string, parameter: StoredParameter, selector: string | undefined): object {
    const { type = 'String', value, version = 1, modifiedDate } = parameter;
    return {
      Name: name,
      Type: type,
      Value: value,
      Version: version,
      ...(selector !== undefined && { Selector: `:${selector}` }),
      ...(modifiedDate !== undefined && { LastModifiedDate: modifiedDate / 1000 }),
      ARN: parameterArn(name, context),
      DataType: 'text',
    };
  }
}

const VERSIONED = /^(.+):([1-9][0-9]{0,14})$/;
