import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Session } from 'hawser';
import { expect, onTestFinished, test } from 'vitest';
import { forwardOutput } from '../../src/node/forward.ts';
import { Collector, commandNode, INSTANCE_ID } from './world.ts';

/** A command in a terminal, and what it shows. */
async function terminal(command: string) {
  const { client, agent } = await commandNode();
  const session: Session = await client.startSession({
    target: INSTANCE_ID,
    documentName: 'AWS-StartInteractiveCommand',
    parameters: { command },
  });
  const screen = new Collector();
  void forwardOutput(session.stdout, screen);
  return { client, agent, session, screen, writer: session.stdin.getWriter() };
}

const PASTE = Buffer.alloc(1_000_000, 'a line of the paste\n');

test('an interrupt in the middle of a paste reaches the command, and what was left of the paste nobody', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hawser-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const { session, screen, writer } = await terminal(
    // One process in the foreground: an interrupt between two would meet the shell alone.
    `stty -echo; trap 'echo caught' INT; sh -c 'echo ready; exec cat > ${folder}/before'; cat > ${folder}/after; echo over`,
  );
  await screen.until('ready');
  const pasted = Promise.all(Array.from({ length: 5 }, () => writer.write(PASTE)));
  session.interrupt();
  await screen.until('caught');
  await pasted;
  await writer.write(new TextEncoder().encode('typed\n\x04'));
  await screen.until('over');
  expect(await session.ended).toMatchObject({ exitCode: 0 });
  expect(readFileSync(join(folder, 'after'), 'utf8')).toBe('typed\n');
  expect(readFileSync(join(folder, 'before')).length).toBeLessThan(5 * PASTE.length);
});

test('a program that reads nothing holds up its own input, and neither the agent nor the end', async () => {
  const { client, session, screen, writer } = await terminal('stty raw -echo; echo ready; exec sleep 1000');
  await screen.until('ready');
  const pasted = Promise.allSettled(Array.from({ length: 5 }, () => writer.write(PASTE)));
  expect((await client.exec(INSTANCE_ID, 'echo alive')).stdout).toBe('alive\n');
  expect(await session.terminate()).toMatchObject({ reason: 'ClientEnded' });
  const failed = (await pasted).filter(({ status }) => status === 'rejected');
  expect(failed.length).toBeGreaterThan(0);
});
