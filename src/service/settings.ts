import { settingArn } from './arn.ts';
import type { ServiceContext } from './context.ts';
import type { SettingRecord } from './setting-record.ts';
import { change, remove } from './store.ts';

/** Of hybrid nodes. AWS lets sessions be started on them in the `advanced` tier alone. */
export type ActivationTier = 'standard' | 'advanced';

export const ACTIVATION_TIER = '/ssm/managed-instance/activation-tier';

const DEFAULT_ROLE = '/ssm/managed-instance/default-ec2-instance-management-role';

/** A setting as it is now: changed, or the default. */
export interface Setting {
  readonly settingId: string;
  readonly value: string;
  /** Absent while it is the default. */
  readonly changed?: SettingRecord;
}

/** The settings of the service that matter to Session Manager (CONTROL-PLANE.md section 2.7). */
export class Settings {
  readonly #context: Pick<ServiceContext, 'store' | 'wallClock'>;
  readonly #defaults: ReadonlyMap<string, string>;

  constructor(context: Pick<ServiceContext, 'store' | 'wallClock'>, activationTier: ActivationTier) {
    this.#context = context;
    this.#defaults = new Map([
      [ACTIVATION_TIER, activationTier],
      [DEFAULT_ROLE, '$None'],
    ]);
  }

  /** `undefined` for one that there is not. */
  async get(settingId: string): Promise<Setting | undefined> {
    const value = this.#defaults.get(settingId);
    if (value === undefined) return undefined;
    const changed = (await this.#context.store.settings.get(settingId))?.value;
    return changed ? { settingId, value: changed.value, changed } : { settingId, value };
  }

  /** Of one that there is. */
  async set(settingId: string, value: string, modifiedBy: string): Promise<void> {
    const { store, wallClock } = this.#context;
    const record = { settingId, value, modifiedDate: wallClock.now(), modifiedBy };
    if (await change(store.settings, settingId, () => record)) return;
    if (!(await store.settings.create(settingId, record))) {
      await change(store.settings, settingId, () => record);
    }
  }

  async reset(settingId: string): Promise<void> {
    await remove(this.#context.store.settings, settingId);
  }

  async activationTier(): Promise<ActivationTier> {
    return (await this.get(ACTIVATION_TIER))?.value as ActivationTier;
  }
}

/** The values that a setting may have; any other setting takes the name of a role. */
export const SETTING_VALUES: ReadonlyMap<string, readonly string[]> = new Map([
  [ACTIVATION_TIER, ['standard', 'advanced']],
]);

/** The id of a setting given by id or by ARN. */
export function settingIdOf(idOrArn: string, scope: Pick<ServiceContext, 'region' | 'accountId'>): string {
  const start = settingArn('', scope);
  return idOrArn.startsWith(start) ? idOrArn.slice(start.length) : idOrArn;
}
