#!/usr/bin/env node
/**
 * `session-manager-plugin`: what the AWS CLI runs for `aws ssm start-session` and `aws ecs execute-command`, in the place
 * of AWS's own program of that name.
 *
 * @module
 */
import { leave } from '../node/leave.ts';
import { sessionManagerPlugin } from '../node/plugin/run.ts';

// The arguments of old CLIs hold a token; the title takes their place in what `ps` shows.
process.title = 'session-manager-plugin';

// A reader that is gone, or a terminal that was hung up, is noticed where it matters.
for (const stream of [process.stdin, process.stdout, process.stderr]) stream.on('error', () => {});

// People see this program through the CLI. They get a line, not a stack.
process.on('uncaughtException', (error) => {
  process.stderr.write(`session-manager-plugin: ${error.message}\n`);
  leave(70);
});

void sessionManagerPlugin(process.argv.slice(2)).then(leave);
