import { type VirtualCommand, type VirtualShellOptions, virtualShell } from 'hawser/agent';
import { describe, expect, test } from 'vitest';
import { connectedWorld, Screen } from './world.ts';

async function screen(options: VirtualShellOptions) {
  const world = await connectedWorld({ handlers: { Standard_Stream: virtualShell(options) } });
  const session = await world.start();
  return { ...world, session, screen: new Screen(session, world.clock) };
}

const commands: Record<string, VirtualCommand> = {
  uname: 'Linux\n',
  greet: async ([name], io) => {
    await io.write(`hello ${name}\n`);
    return name ? 0 : 1;
  },
  args: async (args, io) => {
    await io.write(`${JSON.stringify(args)}\n`);
  },
  ask: async (_, io) => {
    await io.write('name? ');
    await io.write(`hi ${await io.readLine()}\n`);
  },
  hang: (_, io) =>
    new Promise((_, reject) => {
      io.signal.addEventListener('abort', () => reject(io.signal.reason));
    }),
  fail: () => {
    throw new Error('no luck');
  },
};

describe('virtualShell', () => {
  test('greets, prompts, echoes and answers like a terminal', async () => {
    const { screen: shell } = await screen({ greeting: 'welcome\n', prompt: '# ', commands });
    expect(await shell.see('# ')).toBe('welcome\r\n# ');
    expect(await shell.type('uname\r', '# ')).toBe('uname\r\nLinux\r\n# ');
    expect(await shell.type('greet you\n', '# ')).toBe('greet you\r\nhello you\r\n# ');
  });

  test('ends with the status of exit, or of the last command', async () => {
    const first = await screen({ commands });
    await first.screen.type('exit 7\r', 'exit 7\r\n');
    expect(await first.screen.end()).toMatchObject({ exitCode: 7, reason: 'CommandExited' });

    const second = await screen({ commands });
    await second.screen.type('greet\r', '$ ');
    await second.screen.type('\x04', '');
    expect(await second.screen.end()).toMatchObject({ exitCode: 1 });
  });

  test('says that a command is not found, with status 127', async () => {
    const { screen: shell } = await screen({ commands });
    expect(await shell.type('nope\r', 'not found\r\n')).toContain('nope: command not found');
    await shell.type('exit\r', 'exit\r\n');
    expect(await shell.end()).toMatchObject({ exitCode: 127 });
  });

  test('shows the error of a command that throws, and goes on', async () => {
    const { screen: shell } = await screen({ commands });
    await shell.see('$ ');
    expect(await shell.type('fail\r', '$ ')).toBe('fail\r\nfail: no luck\r\n$ ');
  });

  test('splits words like a shell', async () => {
    const { screen: shell } = await screen({ commands });
    await shell.see('$ ');
    const shown = await shell.type(`args a  'b c' "d 'e" f\\ g '' x"y"z\r`, ']\r\n');
    expect(shown.split('\r\n')[1]).toBe('["a","b c","d \'e","f g","","xyz"]');
  });

  test('edits the line: backspace takes a whole character, Ctrl-U the line, arrow keys nothing', async () => {
    const { screen: shell } = await screen({ commands });
    await shell.see('$ ');
    await shell.type('rubbish\x15args é\x7fe\x1b[D\x1bOA!\r', '["e!"]\r\n');
  });

  test('takes CR LF as one end of line, and a character that comes in pieces as one', async () => {
    const { screen: shell } = await screen({ commands });
    await shell.see('$ ');
    const bytes = new TextEncoder().encode('args 日\r\n');
    await shell.type(bytes.subarray(0, 6), '');
    await shell.type(bytes.subarray(6), '["日"]\r\n$ ');
    expect(await shell.type('uname\r', '$ ')).toBe('uname\r\nLinux\r\n$ ');
  });

  test('gives a running command the lines that are typed', async () => {
    const { screen: shell } = await screen({ commands });
    await shell.type('ask\r', 'name? ');
    expect(await shell.type('Ada\r', '$ ')).toBe('Ada\r\nhi Ada\r\n$ ');
  });

  test('Ctrl-C drops the line, and interrupts a command with status 130', async () => {
    const { screen: shell } = await screen({ commands });
    await shell.see('$ ');
    expect(await shell.type('unam\x03', '$ ')).toBe('unam^C\r\n$ ');
    await shell.type('hang\r', 'hang\r\n');
    expect(await shell.type('\x03', '$ ')).toBe('^C\r\n$ ');
    await shell.type('exit\r', 'exit\r\n');
    expect(await shell.end()).toMatchObject({ exitCode: 130 });
  });

  test('works without a greeting and without a prompt', async () => {
    const { screen: shell } = await screen({ prompt: '', commands });
    expect(await shell.type('uname\r', 'Linux\r\n')).toBe('uname\r\nLinux\r\n');
  });

  test('aborts a running command when the session is terminated', async () => {
    let aborted = false;
    const {
      session,
      screen: shell,
      clock,
    } = await screen({
      commands: {
        wait: (_, io) =>
          new Promise((resolve) => {
            io.signal.addEventListener('abort', () => {
              aborted = true;
              resolve(0);
            });
          }),
      },
    });
    await shell.type('wait\r', 'wait\r\n');
    const end = await clock.runUntil(session.terminate());
    expect(end.reason).toBe('ClientEnded');
    await clock.advance(100);
    expect(aborted).toBe(true);
  });
});
