/**
 * What a test author writes: a whole Session Manager inside one test, with no network, no native code and no
 * real time. Here two minutes and a broken connection pass in milliseconds.
 *
 *     node scripts/run.mjs examples/virtual-node.ts
 */
import assert from 'node:assert/strict';
import { SessionClient } from 'hawser';
import { Agent, virtualShell } from 'hawser/agent';
import { SessionManagerService } from 'hawser/service';
import { memoryTransport, seededRandom, VirtualClock } from 'hawser/testing';

const region = 'eu-central-1';
const endpoint = 'http://service.localhost';
const accountId = '111122223333';
const key = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'example' };
const principal = { arn: `arn:aws:iam::${accountId}:user/tester`, accountId, userId: 'AIDAEXAMPLE' };

// The service, and one way into it. Everything runs on one clock, which stands still until told to go on.
const clock = new VirtualClock();
const random = seededRandom(1);
const service = new SessionManagerService({
  region,
  accountId,
  credentials: () => ({ ...key, principal, targetId: 'mi-web-1' }),
  platform: { clock, random },
});
const transport = memoryTransport(service, { clock, latency: 20 });
const platform = { clock, random, transport };

// A node that runs nothing but what this test needs.
await service.registerTarget({ id: 'mi-web-1' });
const agent = new Agent({
  instanceId: 'mi-web-1',
  region,
  endpoint,
  credentials: key,
  handlers: {
    Standard_Stream: virtualShell({
      greeting: 'welcome to web-1\n',
      commands: {
        uptime: 'up 42 days\n',
        deploy: async ([version], io) => {
          if (!version) return 64;
          await io.write(`deploying ${version}\n`);
          await new Promise<void>((resolve) => clock.schedule(120_000, resolve));
          await io.write('done\n');
          return 0;
        },
      },
    }),
  },
  platform,
});
await clock.runUntil(agent.start());

// The code under test: whatever uses a session.
const client = new SessionClient({ region, endpoint, credentials: key, platform });
const session = await clock.runUntil(client.startSession({ target: 'mi-web-1' }));
const input = session.stdin.getWriter();
await clock.runUntil(input.write(new TextEncoder().encode('uptime\rdeploy 1.2.3\rexit 3\r')));

// Every connection breaks in the middle of the deployment; the session survives.
await clock.advance(60_000);
for (const connection of transport.connections) connection.cut();
const output = await clock.runUntil(textOf(session.stdout));
const end = await clock.runUntil(session.ended);

assert.match(output, /up 42 days\r\n/);
assert.match(output, /deploying 1\.2\.3\r\ndone\r\n/);
assert.equal(end.exitCode, 3);
assert.equal(end.reason, 'CommandExited');
await clock.runUntil(agent.stop());
console.log('A deployment of two minutes over a broken connection, tested in no time.');

async function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of stream) text += decoder.decode(bytes, { stream: true });
  return text;
}
