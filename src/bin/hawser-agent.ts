#!/usr/bin/env node
/**
 * `hawser-agent`: registers a machine as a hybrid node and runs its agent, in the place of amazon-ssm-agent.
 *
 * @module
 */
import { hawserAgent } from '../node/agent-program/main.ts';
import { leave } from '../node/leave.ts';

// The arguments may hold an activation code; the title takes their place in what `ps` shows.
process.title = 'hawser-agent';

// A log that nobody reads any more does not end sessions.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

void hawserAgent(process.argv.slice(2)).then(leave);
