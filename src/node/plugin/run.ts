import { CLIENT_VERSION } from '../../channel/constants.ts';
import { readArguments } from './arguments.ts';
import { isSet, PluginConsole, type PluginStreams } from './console.ts';
import { explain, PluginError } from './error.ts';

/**
 * AWS's session-manager-plugin, as the AWS CLI calls it (PROTOCOL.md section 3): opens the session that was started,
 * joins it to the streams of this process, and answers the status to exit with.
 *
 * `HAWSER_QUIET=1` keeps everything off stdout that is not the session's; `HAWSER_EXIT_ZERO=1` makes every command a
 * success, as it is with AWS's plugin.
 *
 * @param args without the name of the program
 * @param environment is cleared of the answer of StartSession
 */
export async function sessionManagerPlugin(
  args: readonly string[],
  streams: PluginStreams = process,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  const console = new PluginConsole(streams, isSet(environment.HAWSER_QUIET));
  try {
    return await run(args, console, streams, environment);
  } catch (error) {
    if (error instanceof PluginError && error.kind === 'usage') {
      console.important(`${error.message}\n`);
      return USAGE;
    }
    console.important(`Cannot perform start session: ${explain(error as Error)}\n`);
    return 1;
  } finally {
    await console.flush();
  }
}

/** Exit status for arguments that ask for no session. */
const USAGE = 2;

async function run(
  args: readonly string[],
  console: PluginConsole,
  streams: PluginStreams,
  environment: NodeJS.ProcessEnv,
): Promise<number> {
  const read = readArguments(args, environment);
  switch (read.type) {
    case 'installed':
      streams.stdout.write(INSTALLED);
      return 0;
    case 'version':
      streams.stdout.write(`${CLIENT_VERSION}\n`);
      return 0;
    case 'start': {
      // The CLI asks for the version before every session, and that should not cost what a session does.
      const { PluginRun } = await import('./plugin-run.ts');
      return new PluginRun(read.request, console, streams, environment).run();
    }
  }
}

const INSTALLED =
  '\nThe Session Manager plugin was installed successfully. Use the AWS CLI to start a session.\n\n';
