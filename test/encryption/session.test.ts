import type { Session } from 'hawser';
import type { AgentSession } from 'hawser/agent';
import { describe, expect, test } from 'vitest';
import { encryptedWorld, INSTANCE_ID } from './world.ts';

const OUTPUT = 'plain words of the output';
const ERRORS = 'plain words of the error output';
const INPUT = 'plain words of the input';

/** Says something on every stream when it has got a line, and ends with 42. */
async function talkative(session: AgentSession) {
  await session.handshake();
  await session.write(Buffer.from(`${OUTPUT}\n`));
  for await (const bytes of session.input) {
    await session.write(bytes);
    await session.writeStderr(Buffer.from(`${ERRORS}\n`));
    return { exitCode: 42 };
  }
  return {};
}

/** The same, with the exit code on the data channel, as commands have it. */
async function command(session: AgentSession) {
  const result = await talkative(session);
  await session.sendExitCode(42);
  return result;
}

const handlers = { Standard_Stream: talkative, NonInteractiveCommands: command, Port: talkative };

async function conversation(encrypted: boolean, documentName?: string) {
  const world = await encryptedWorld({ handlers, encrypted });
  const session = await world.start({ ...(documentName && { documentName }) });
  const [stdout, stderr] = [textOf(session.stdout), textOf(session.stderr)];
  const ready = await world.clock.runUntil(session.ready);
  await world.clock.runUntil(session.stdin.getWriter().write(Buffer.from(INPUT)));
  const end = await world.clock.runUntil(session.ended);
  await world.clock.advance(1000);
  return { ...world, ready, end, stdout: await stdout, stderr: await stderr, heard: world.tap.heard() };
}

async function textOf(stream: Session['stdout']): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += Buffer.from(chunk).toString();
  return text;
}

describe.each([undefined, 'Command'])('a session of document %s', (documentName) => {
  test('with a KMS key arrives whole, and the service has seen none of it', async () => {
    const { ready, end, stdout, stderr, heard } = await conversation(true, documentName);
    expect(stdout).toBe(`${OUTPUT}\n${INPUT}`);
    expect(stderr).toBe(`${ERRORS}\n`);
    expect(end).toMatchObject({ exitCode: 42 });
    expect(ready.handshake).toMatchObject({
      encrypted: true,
      customerMessage: 'This session is encrypted using AWS KMS.',
    });
    for (const secret of [OUTPUT, ERRORS, INPUT, 'EXIT_CODE', '42"', ':42'])
      expect(heard).not.toContain(secret);
    expect(heard).toContain('KMSEncryption');
  });

  test('without a KMS key is heard by the service, every word of it', async () => {
    const { ready, stdout, heard } = await conversation(false, documentName);
    expect(stdout).toBe(`${OUTPUT}\n${INPUT}`);
    expect(ready.handshake).toMatchObject({ encrypted: false });
    for (const word of [OUTPUT, ERRORS, INPUT, documentName ? 'EXIT_CODE: 42' : ':42'])
      expect(heard).toContain(word);
  });
});

test('the data key is bound to session, target and the challenge of the agent', async () => {
  const contexts: unknown[] = [];
  const world = await encryptedWorld({
    handlers,
    clientKeys: (keys) => ({
      ...keys,
      generateDataKey: (keyId, context) => {
        contexts.push(context);
        return keys.generateDataKey(keyId, context);
      },
    }),
    agentKeys: (keys) => ({
      ...keys,
      decrypt: (ciphertext, context, call) => {
        contexts.push(context);
        expect(call?.keyId).toBe(world.key.arn);
        return keys.decrypt(ciphertext, context, call);
      },
    }),
  });
  const session = await world.start();
  await world.clock.runUntil(session.ready);
  const context = {
    'aws:ssm:SessionId': session.sessionId,
    'aws:ssm:TargetId': INSTANCE_ID,
    'aws:ssm:RandomChallenge': expect.stringMatching(/^[A-Za-z0-9+/]{22}==$/),
  };
  expect(contexts).toEqual([context, context]);
  expect(contexts[0]).toEqual(contexts[1]);
});

test('a port session is not encrypted, whatever kmsKeyId says', async () => {
  const { ready, heard } = await conversation(true, 'Port');
  expect(ready.handshake).toMatchObject({ sessionType: 'Port', encrypted: false });
  expect(heard).toContain(OUTPUT);
});

test('an encrypted session goes on after a cut, and nothing is lost or doubled', async () => {
  const lines = Array.from({ length: 2000 }, (_, i) => `line ${i} of the encrypted output`);
  const world = await encryptedWorld({
    handlers: {
      Standard_Stream: async (session) => {
        for (const line of lines) await session.write(Buffer.from(`${line}\n`));
        return { exitCode: 0 };
      },
    },
  });
  const session = await world.start();
  const stdout = textOf(session.stdout);
  await world.clock.runUntil(session.ready);
  await world.clock.advance(5);
  world.cut();
  expect(await world.clock.runUntil(session.ended)).toMatchObject({ exitCode: 0 });
  expect((await stdout).trim().split('\n')).toEqual(lines);
  expect(world.tap.heard()).not.toContain('encrypted output');
});
