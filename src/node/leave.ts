import { isatty } from 'node:tty';

/**
 * Ends this process. At its end Node puts the terminal back as it was, and aborts, perhaps with a core dump, when that
 * terminal was hung up. There is nothing to put back then, so it ends as other programs do whose terminal is gone: by
 * SIGHUP, which a shell tells as 129.
 *
 * @param status to exit with while there is a terminal, or when there never was one
 */
export function leave(status: number): never {
  if (isHungUp()) {
    process.removeAllListeners('SIGHUP');
    process.kill(process.pid, 'SIGHUP');
  }
  process.exit(status);
}

function isHungUp(): boolean {
  const { stdin, stdout, stderr } = process;
  return [stdin, stdout, stderr].some(({ isTTY, fd }) => isTTY && !isatty(fd));
}
