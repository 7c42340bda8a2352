import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { hostname, networkInterfaces, release, version } from 'node:os';
import { promisify } from 'node:util';
import type { Machine } from '../agent/information-reports.ts';

/** This machine, in the words of AWS's agent: `Debian GNU/Linux` and `12` of `/etc/os-release`, `sw_vers` on macOS. */
export async function machine(): Promise<Machine> {
  return { ...(await operatingSystem()), computerName: hostname(), ipAddress: ipAddress() };
}

async function operatingSystem(): Promise<Machine> {
  if (process.platform === 'win32') {
    return { platformType: 'Windows', platformName: version(), platformVersion: release() };
  }
  if (process.platform === 'darwin') {
    const [platformName, platformVersion] = await Promise.all([
      swVers('-productName'),
      swVers('-productVersion'),
    ]);
    return { platformType: 'MacOS', platformName, platformVersion };
  }
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return {
    platformType: 'Linux',
    platformName: osRelease(text, 'NAME'),
    platformVersion: osRelease(text, 'VERSION_ID'),
  };
}

/** A value of `os-release(5)`, where quotes and backslashes are a shell's. */
export function osRelease(text: string, name: string): string | undefined {
  const [, value] = new RegExp(`^${name}=(.*)$`, 'm').exec(text) ?? [];
  return value
    ?.trim()
    .replace(/^(["'])(.*)\1$/, '$2')
    .replaceAll(/\\(.)/g, '$1');
}

async function swVers(option: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)('/usr/bin/sw_vers', [option], { timeout: 5_000 });
    return stdout.trim();
  } catch {
    return undefined;
  }
}

/** IPv4 first, as AWS's agent. */
function ipAddress(): string | undefined {
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'));
  return (addresses.find(({ family }) => family === 'IPv4') ?? addresses[0])?.address;
}
