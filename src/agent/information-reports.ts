import { AGENT_VERSION } from '../channel/constants.ts';
import type { AwsJson, JsonObject } from '../core/aws-json.ts';
import { sleep } from '../core/deadline.ts';
import type { Platform } from '../core/platform.ts';

/** The machine that an agent is on, as the service's inventory shows it. What is not known is left out. */
export interface Machine {
  readonly platformType: 'Linux' | 'MacOS' | 'Windows';
  /** For example `Debian GNU/Linux`. */
  readonly platformName?: string | undefined;
  /** For example `12`. */
  readonly platformVersion?: string | undefined;
  /** Host name. */
  readonly computerName?: string | undefined;
  readonly ipAddress?: string | undefined;
}

export interface InformationReportsOptions {
  readonly api: AwsJson;
  readonly instanceId: string;
  readonly machine: Machine;
  readonly platform: Platform;
  /** A report did not arrive. The next one comes in its time. */
  readonly failed: (error: Error) => void;
}

/**
 * UpdateInstanceInformation, which keeps a node `Online` in the service's inventory (CONTROL-PLANE.md section 2.7): the
 * short form and the full one at the start, and the full one every 5 minutes, the first time after a part of them, so
 * that nodes that started together do not report together.
 */
export class InformationReports {
  readonly #options: InformationReportsOptions;

  constructor(options: InformationReportsOptions) {
    this.#options = options;
  }

  /** Reports until `signal` is aborted. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options.platform;
    await this.#report(this.#short(), signal);
    await this.#report(this.#full(), signal);
    let wait = random.random() * INTERVAL;
    while (!signal.aborted) {
      await sleep(clock, wait, signal).catch(() => {});
      if (signal.aborted) return;
      await this.#report(this.#full(), signal);
      wait = INTERVAL;
    }
  }

  async #report(input: JsonObject, signal: AbortSignal): Promise<void> {
    try {
      await this.#options.api.call('UpdateInstanceInformation', input, { signal });
    } catch (error) {
      if (!signal.aborted) this.#options.failed(error as Error);
    }
  }

  #short(): JsonObject {
    const { instanceId, machine } = this.#options;
    return {
      AgentName: AGENT_NAME,
      AgentVersion: AGENT_VERSION,
      InstanceId: instanceId,
      PlatformType: machine.platformType,
    };
  }

  /** With empty text for what is not known, as the real agent. */
  #full(): JsonObject {
    const { instanceId, machine } = this.#options;
    return {
      AgentName: AGENT_NAME,
      AgentStatus: 'Active',
      AgentVersion: AGENT_VERSION,
      AvailabilityZone: '',
      AvailabilityZoneId: '',
      ComputerName: machine.computerName ?? '',
      IPAddress: machine.ipAddress ?? '',
      InstanceId: instanceId,
      PlatformName: machine.platformName ?? '',
      PlatformType: machine.platformType,
      PlatformVersion: machine.platformVersion ?? '',
      SSMConnectionChannel: 'ssmmessages',
    };
  }
}

/** The service knows agents by it. */
const AGENT_NAME = 'amazon-ssm-agent';
/** Milliseconds. */
const INTERVAL = 5 * 60_000;
