import { defaultIdentityDirectory, describeIdentity, type NodeLocation } from '../identity.ts';
import type { ProgramStreams } from './streams.ts';

export async function status(
  directory = defaultIdentityDirectory(),
  { stdout }: ProgramStreams,
): Promise<number> {
  const { instanceId, location, keyIsPending, usedBy } = await describeIdentity(directory);
  const lines = [
    `node       ${instanceId}`,
    `region     ${location.region}`,
    `endpoint   ${describeEndpoint(location)}`,
    `directory  ${directory}`,
    `agent      ${usedBy === undefined ? 'is not running' : `runs as process ${usedBy}`}`,
    ...(keyIsPending ? ['key        is being replaced'] : []),
  ];
  stdout.write(`${lines.join('\n')}\n`);
  return 0;
}

function describeEndpoint({ endpoint, useFipsEndpoint, useDualstackEndpoint }: NodeLocation): string {
  if (typeof endpoint === 'string') return endpoint;
  const kinds = [...(useFipsEndpoint ? ['FIPS'] : []), ...(useDualstackEndpoint ? ['dual stack'] : [])];
  const aws = `AWS${kinds.length > 0 ? ` (${kinds.join(', ')})` : ''}`;
  if (!endpoint) return aws;
  return `ssm ${endpoint.ssm ?? aws}, ssmmessages ${endpoint.ssmmessages ?? aws}`;
}
