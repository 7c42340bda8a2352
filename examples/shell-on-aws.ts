/**
 * A shell on one of your managed nodes, in AWS, with nothing installed but this package:
 *
 *     AWS_PROFILE=… AWS_REGION=eu-central-1 node scripts/run.mjs examples/shell-on-aws.ts i-0123456789abcdef0
 *
 * Credentials are those of the environment (`AWS_ACCESS_KEY_ID`, …) or, where `@aws-sdk/credential-providers` is
 * installed, whatever the AWS CLI would use. You need `ssm:StartSession`, `ssm:ResumeSession` and
 * `ssm:TerminateSession`. `AWS_ENDPOINT_URL_SSM` leads to another service, as with AWS's own tools.
 */
import { HawserError } from 'hawser';
import { attachTerminal, clientFromEnvironment } from 'hawser/node';

const [target] = process.argv.slice(2);
if (!target) quit('usage: shell-on-aws.ts <target>, for example i-0123456789abcdef0');

try {
  const client = await clientFromEnvironment();
  const session = await client.startSession({ target, reason: 'hawser example' });
  session.on('reconnecting', ({ error }) => say(`connection lost (${error.message}); resuming`));
  session.on('resumed', () => say('resumed'));
  // Killed or hung up, it still leaves no session behind on the node.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void session.terminate());
  const end = await attachTerminal(session);
  if (end.reason !== 'CommandExited') say(`${end.reason}: ${end.message || 'the session is over'}`);
  process.exit(end.exitCode ?? (end.error ? 1 : 0));
} catch (error) {
  if (error instanceof HawserError) quit(error.message);
  throw error;
}

function say(text: string): void {
  process.stderr.write(`${text}\r\n`);
}

function quit(text: string): never {
  process.stderr.write(`${text}\n`);
  process.exit(2);
}
