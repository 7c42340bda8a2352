/**
 * A command on a managed node, as `ssh host command` runs it: its output comes as it goes, stderr apart, and the exit
 * status is the command's.
 *
 *     node scripts/run.mjs examples/exec.ts i-0123456789abcdef0 'ls -l /var/log | head'
 *
 * Region, credentials and service come from the environment, as for the AWS CLI. Ctrl-C interrupts the command.
 */
import { Writable } from 'node:stream';
import { HawserError } from 'hawser';
import { clientFromEnvironment } from 'hawser/node';

const [target, ...words] = process.argv.slice(2);
if (!target || words.length === 0) quit('usage: exec.ts <target> <command>');

try {
  const client = await clientFromEnvironment();
  // With a marker the exit status comes from any agent and any document; see docs/client.md.
  const running = client.exec(target, words.join(' '), { exitCode: 'marker' });
  process.on('SIGINT', () => running.interrupt());
  await Promise.all([
    running.stdout.pipeTo(Writable.toWeb(process.stdout)),
    running.stderr.pipeTo(Writable.toWeb(process.stderr), { preventClose: true }),
  ]);
  process.exitCode = (await running).exitCode;
} catch (error) {
  if (error instanceof HawserError) quit(error.message);
  throw error;
}

function quit(text: string): never {
  process.stderr.write(`${text}\n`);
  process.exit(255); // what ssh answers when it was not the command that failed
}
