/**
 * A file to or from a managed node, by a session alone: no SSH, no bucket. The node's side is written with a colon:
 *
 *     node scripts/run.mjs examples/copy.ts ./app.tar.gz i-0123456789abcdef0:/tmp/app.tar.gz
 *     node scripts/run.mjs examples/copy.ts i-0123456789abcdef0:/var/log/syslog ./syslog
 *
 * Region, credentials and service come from the environment, as for the AWS CLI. A copy that was cut off goes on where
 * it stopped when it is called again.
 */
import { type CopyProgress, HawserError } from 'hawser';
import { clientFromEnvironment, copyFileFrom, copyFileTo } from 'hawser/node';

const [from, to] = process.argv.slice(2);
const source = remote(from);
const destination = remote(to);
if (!from || !to || (source === undefined) === (destination === undefined))
  quit('usage: copy.ts <file> <target>:<path>, or copy.ts <target>:<path> <file>');

try {
  const client = await clientFromEnvironment();
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort(new HawserError('ERR_INTERRUPTED', 'Interrupted.')));
  const options = { onProgress, signal: interrupted.signal };
  const { bytes, offset } = source
    ? await copyFileFrom(client, source.target, source.path, to, options)
    : await copyFileTo(client, destination!.target, from, destination!.path, options);
  say(`${bytes} bytes${offset > 0 ? `, ${offset} of them from an earlier try` : ''}\n`);
} catch (error) {
  if (error instanceof Error) quit(error.message);
  throw error;
}

function onProgress({ bytes, total }: CopyProgress): void {
  if (process.stderr.isTTY && total) say(`${Math.floor((100 * bytes) / total)} %\r`);
}

/** A single letter before the colon is a drive. */
function remote(path = '') {
  const [, target, rest] = /^([^/\\:]{2,}):(.+)$/s.exec(path) ?? [];
  return target !== undefined && rest !== undefined ? { target, path: rest } : undefined;
}

function say(text: string): void {
  process.stderr.write(text);
}

function quit(text: string): never {
  say(`${text}\n`);
  process.exit(2);
}
