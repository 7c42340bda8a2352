/**
 * A whole Session Manager in one process: the service, an agent of this machine, and a client that hands you a
 * real shell, over real sockets on the loopback interface.
 *
 *     npm run demo
 *     printf 'echo $((6*7)); exit 3\n' | npm run -s demo
 *
 * With a terminal you get a shell in it; otherwise the shell runs what is piped in. stdout carries only what the
 * shell prints, and the exit status is the shell's.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:os';
import { SessionClient } from 'hawser';
import { Agent } from 'hawser/agent';
import {
  attachPipes,
  attachTerminal,
  interactiveCommands,
  nonInteractiveCommands,
  pipeShell,
  ptyShell,
  serve,
} from 'hawser/node';
import { SessionManagerService } from 'hawser/service';

const region = 'eu-central-1';
const accountId = '111122223333';
const instanceId = 'mi-0123456789abcdef0';
const inTerminal = process.stdin.isTTY && process.stdout.isTTY;

// Two identities that live as long as this process: you, and the managed node.
const user = accessKey();
const node = accessKey();
const callers = new Map([
  [
    user.accessKeyId,
    { ...user, principal: { arn: `arn:aws:iam::${accountId}:user/demo`, accountId, userId: 'AIDADEMO' } },
  ],
  [
    node.accessKeyId,
    {
      ...node,
      principal: { arn: `arn:aws:iam::${accountId}:role/node`, accountId, userId: 'AROADEMO' },
      targetId: instanceId,
    },
  ],
]);

const service = new SessionManagerService({ region, accountId, credentials: (id) => callers.get(id) });
await service.registerTarget({ id: instanceId });
const server = await serve(service);

const agent = new Agent({
  instanceId,
  region,
  credentials: node,
  endpoint: server.url,
  handlers: {
    Standard_Stream: inTerminal ? ptyShell() : pipeShell(),
    InteractiveCommands: interactiveCommands(),
    NonInteractiveCommands: nonInteractiveCommands(),
  },
});
await agent.start();

const client = new SessionClient({ region, credentials: user, endpoint: server.url });
const session = await client.startSession({ target: instanceId });
if (inTerminal) say(`session ${session.sessionId} on ${instanceId}; leave it with exit or Ctrl-D`);

// A signal that would end this process ends the session, so that nothing of it stays behind.
let killed = 0;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (killed) process.exit(killed); // the second time, at once
    killed = 128 + constants.signals[signal];
    void session.terminate();
  });
}

const end = inTerminal ? await attachTerminal(session) : await attachPipes(session);
if (end.message) say(end.message);
await agent.stop();
await service.close();
await server.close();
process.exit(killed || (end.exitCode ?? 1));

function accessKey() {
  const accessKeyId = `AKIA${randomBytes(8).toString('hex').toUpperCase()}`;
  return { accessKeyId, secretAccessKey: randomBytes(20).toString('hex') };
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
