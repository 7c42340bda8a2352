/** A service setting that has been changed from its default. */
export interface SettingRecord {
  /** Without the ARN: `/ssm/managed-instance/activation-tier`. */
  readonly settingId: string;
  readonly value: string;
  /** Milliseconds since the epoch. */
  readonly modifiedDate: number;
  /** ARN of the principal who changed it. */
  readonly modifiedBy: string;
}
