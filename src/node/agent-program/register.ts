import { createInterface } from 'node:readline';
import { defaultIdentityDirectory } from '../identity.ts';
import { registerNode } from '../register-node.ts';
import type { RegisterCommand } from './arguments.ts';
import { ProgramError } from './program-error.ts';
import type { ProgramStreams } from './streams.ts';

export async function register(command: RegisterCommand, streams: ProgramStreams): Promise<number> {
  const { directory = defaultIdentityDirectory(), activationId, location, force } = command;
  const activationCode = command.activationCode ?? (await readCode(streams));
  const instanceId = await registerNode({ directory, activationId, activationCode, location, force });
  streams.stdout.write(`${instanceId}\n`);
  const where = command.directory === undefined ? '' : ` --directory ${directory}`;
  streams.stderr.write(`Registered as ${instanceId}, kept in ${directory}. Next: hawser-agent run${where}\n`);
  return 0;
}

/** The first line of stdin, which people are asked for. */
async function readCode({ stdin, stderr }: ProgramStreams): Promise<string> {
  if (stdin.isTTY) stderr.write('Activation code: ');
  const lines = createInterface({ input: stdin });
  try {
    for await (const line of lines) if (line.trim() !== '') return line.trim();
  } finally {
    lines.close();
  }
  throw new ProgramError(2, 'register needs the activation code: in HAWSER_ACTIVATION_CODE or on stdin.');
}
