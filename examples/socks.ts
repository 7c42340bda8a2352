/**
 * A proxy, SOCKS5 and HTTP CONNECT, to all that a managed node reaches:
 *
 *     node scripts/run.mjs examples/socks.ts i-0123456789abcdef0 [local port]
 *     curl --proxy socks5h://127.0.0.1:1080 http://intranet.internal/
 *
 * Region, credentials and service come from the environment, as for the AWS CLI. Each destination is a session of its
 * own, so policies and records tell them apart. Ctrl-C ends it.
 */
import { HawserError } from 'hawser';
import { clientFromEnvironment, proxy } from 'hawser/node';

const [target, localPort = '1080'] = process.argv.slice(2);
if (!target) quit('usage: socks.ts <target> [local port]');

try {
  const client = await clientFromEnvironment();
  const pool = client.forwardPool({ target });
  const listener = await proxy(pool, {
    port: Number(localPort),
    onError: (error) => say(error.message),
  });
  say(`proxy on ${listener.host}:${listener.port}`);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.once(signal, async () => {
      await listener.close();
      await pool.close();
    });
  }
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
