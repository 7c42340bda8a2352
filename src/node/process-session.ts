import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Ends the process session (`setsid`) that `leader` was started as: SIGHUP to every process in it, as when a
 * terminal is closed, and SIGKILL to those still there after two seconds. Processes that left it on purpose
 * (`setsid`, daemons) live on.
 */
export async function endProcessSession(leader: number): Promise<void> {
  await signalSession(leader, 'SIGHUP');
  // A stopped process takes signals only when it goes on.
  await signalSession(leader, 'SIGCONT');
  if (await isGone(leader)) return;
  await signalSession(leader, 'SIGKILL');
  await isGone(leader);
}

/** Milliseconds. */
const GRACE = 2_000;
const INTERVAL = 50;

/** Waits for the processes to end, two seconds at most. @returns whether they did */
async function isGone(leader: number): Promise<boolean> {
  const until = performance.now() + GRACE;
  while ((await membersOf(leader)).length > 0) {
    if (performance.now() >= until) return false;
    await sleep(INTERVAL);
  }
  return true;
}

async function signalSession(leader: number, signal: NodeJS.Signals): Promise<void> {
  for (const member of await membersOf(leader)) {
    try {
      process.kill(member, signal);
    } catch {
      // Gone meanwhile.
    }
  }
}

/** Process ids, or a negative process group id where the system does not list sessions. */
async function membersOf(leader: number): Promise<number[]> {
  let entries: string[];
  try {
    entries = await readdir('/proc');
  } catch {
    return isGroupAlive(leader) ? [-leader] : [];
  }
  const processes = entries.filter((entry) => /^\d+$/.test(entry));
  const states = await Promise.all(
    processes.map((pid) => readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '')),
  );
  return processes.filter((_, i) => isAliveIn(leader, states[i]!)).map(Number);
}

/** @param stat `pid (name) state ppid pgrp session …`; the name may hold anything, parentheses too */
function isAliveIn(leader: number, stat: string): boolean {
  const [state, , , session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return session === String(leader) && state !== 'Z' && state !== 'X';
}

function isGroupAlive(leader: number): boolean {
  try {
    process.kill(-leader, 0);
    return true;
  } catch {
    return false;
  }
}
