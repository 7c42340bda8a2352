/**
 * A port of a managed node, or of a host that the node reaches, on this machine:
 *
 *     node scripts/run.mjs examples/forward.ts i-0123456789abcdef0 5432 [db.internal] [local port]
 *
 * Region, credentials and service come from the environment, as for the AWS CLI. Ctrl-C ends it.
 */
import { HawserError } from 'hawser';
import { clientFromEnvironment, listen } from 'hawser/node';

const [target, port, host, localPort = '0'] = process.argv.slice(2);
if (!target || !port) quit('usage: forward.ts <target> <port> [host] [local port]');

try {
  const client = await clientFromEnvironment();
  const forward = await client.forward({ target, port: Number(port), ...(host && { host }) });
  for (const session of forward.sessions) {
    session.on('reconnecting', ({ error }) => say(`connection lost (${error.message}); resuming`));
    session.on('resumed', () => say('resumed'));
  }
  const listener = await listen(forward, {
    port: Number(localPort),
    onError: (error) => say(error.message),
  });
  say(`${listener.host}:${listener.port} leads to ${host ?? target}:${port}`);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => void forward.close());
  const { reason, message } = await forward.ended;
  await listener.close();
  if (reason !== 'ClientEnded') quit(message || `The session ended: ${reason}.`);
} catch (error) {
  if (error instanceof HawserError) quit(error.message);
  throw error;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function quit(text: string): never {
  say(text);
  process.exit(2);
}
