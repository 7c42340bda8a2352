/**
 * OpenSSH's way to a managed node, with no port open there. In `~/.ssh/config`:
 *
 *     Host i-* mi-*
 *       ProxyCommand node /path/to/hawser/scripts/run.mjs examples/ssh.ts %h %p
 *
 * and then `ssh ec2-user@i-0123456789abcdef0`, `scp`, `rsync`, `sftp`. Region, credentials and service come from the
 * environment, as for the AWS CLI.
 */
import { Readable, Writable } from 'node:stream';
import { HawserError, join } from 'hawser';
import { clientFromEnvironment } from 'hawser/node';

const [target, port = '22'] = process.argv.slice(2);
if (!target) quit('usage: ssh.ts <target> [port]');

try {
  const client = await clientFromEnvironment();
  const forward = await client.forward({ target, port: Number(port), documentName: 'AWS-StartSSHSession' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => void forward.close());
  const connection = await forward.open();
  const here = {
    readable: Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>,
    writable: Writable.toWeb(process.stdout) as WritableStream<Uint8Array>,
  };
  await Promise.race([join(here, connection), forward.ended]);
  await forward.close();
  process.exit(0);
} catch (error) {
  if (error instanceof HawserError) quit(error.message);
  throw error;
}

function quit(text: string): never {
  process.stderr.write(`${text}\n`);
  process.exit(2);
}
