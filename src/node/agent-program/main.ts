import { readArguments } from './arguments.ts';
import { help } from './help.ts';
import { explain, statusOf } from './program-error.ts';
import { register } from './register.ts';
import { run } from './run.ts';
import { status } from './status.ts';
import type { ProgramStreams } from './streams.ts';
import { VERSION } from './version.ts';

/**
 * The program `hawser-agent`.
 *
 * @param args without the name of the program
 * @returns the exit status
 */
export async function hawserAgent(
  args: readonly string[],
  streams: ProgramStreams = process,
  env: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  try {
    const command = readArguments(args, env);
    switch (command.name) {
      case 'register':
        return await register(command, streams);
      case 'run':
        return await run(command, streams);
      case 'status':
        return await status(command.directory, streams);
      case 'version':
        streams.stdout.write(`${VERSION}\n`);
        return 0;
      case 'help':
        streams.stdout.write(help());
        return 0;
    }
  } catch (error) {
    streams.stderr.write(`hawser-agent: ${explain(error)}\n`);
    return statusOf(error);
  }
}
