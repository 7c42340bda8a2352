import { ApiError } from '../api-error.ts';
import { settingArn } from '../arn.ts';
import { SETTING_VALUES, type Setting, settingIdOf } from '../settings.ts';
import { string, structure } from '../shape.ts';
import { IAM_ROLE } from './create-activation.ts';
import { type Call, type Operation, type OperationParts, operation } from './operation.ts';

const SETTING_ID = string({ min: 1, max: 1000 });

/** GetServiceSetting, UpdateServiceSetting, ResetServiceSetting (CONTROL-PLANE.md section 2.7). */
export function serviceSettings(parts: OperationParts): readonly Operation[] {
  const { context, authorization, settings } = parts;

  /** @throws {ApiError} `AccessDeniedException`, `ServiceSettingNotFound` */
  async function found(call: Call, name: string, idOrArn: string): Promise<Setting> {
    const settingId = settingIdOf(idOrArn, context);
    const resource = settingId.startsWith('/') ? settingArn(settingId, context) : settingId;
    await authorization.resource(call, `ssm:${name}`, resource, {});
    const setting = await settings.get(settingId);
    if (setting) return setting;
    throw new ApiError(
      'ServiceSettingNotFound',
      "The specified service setting wasn't found. Either the service name or the setting hasn't been provisioned by the Amazon Web Services service team.",
    );
  }

  /** The `ServiceSetting` shape. */
  function shown({ settingId, value, changed }: Setting): object {
    return {
      SettingId: settingId,
      SettingValue: value,
      ...(changed && { LastModifiedDate: changed.modifiedDate / 1000 }),
      LastModifiedUser: changed?.modifiedBy ?? 'System',
      ARN: settingArn(settingId, context),
      Status: changed ? 'Customized' : 'Default',
    };
  }

  return [
    operation({
      name: 'GetServiceSetting',
      input: structure({ SettingId: SETTING_ID }),

      async handle({ SettingId }, call) {
        return { ServiceSetting: shown(await found(call, 'GetServiceSetting', SettingId)) };
      },
    }),
    operation({
      name: 'UpdateServiceSetting',
      input: structure({ SettingId: SETTING_ID, SettingValue: string({ min: 1, max: 4096 }) }),

      async handle({ SettingId, SettingValue }, call) {
        const { settingId } = await found(call, 'UpdateServiceSetting', SettingId);
        const values = SETTING_VALUES.get(settingId);
        if (values)
          checkValue(SettingValue, values.includes(SettingValue), `enum value set: [${values.join(', ')}]`);
        else {
          checkValue(
            SettingValue,
            IAM_ROLE.test(SettingValue),
            `regular expression pattern: ${IAM_ROLE.source}`,
          );
          await authorization.passRole(call, SettingValue);
        }
        await settings.set(settingId, SettingValue, call.principal.arn);
        return {};
      },
    }),
    operation({
      name: 'ResetServiceSetting',
      input: structure({ SettingId: SETTING_ID }),

      async handle({ SettingId }, call) {
        const { settingId } = await found(call, 'ResetServiceSetting', SettingId);
        await settings.reset(settingId);
        return { ServiceSetting: shown((await settings.get(settingId))!) };
      },
    }),
  ];
}

function checkValue(value: string, isGood: boolean, constraint: string): void {
  if (isGood) return;
  throw new ApiError(
    'ValidationException',
    `1 validation error detected: Value '${value.slice(0, 400)}' at 'settingValue' failed to satisfy constraint: Member must satisfy ${constraint}`,
  );
}
