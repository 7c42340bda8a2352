import { Agent, type SessionHandler } from 'hawser/agent';
import { memoryTransport, seededRandom, VirtualClock } from 'hawser/testing';
import { ScriptedGateway } from './scripted-gateway.ts';

/** An agent that is connected to a message gateway which says what a test says. */
export async function scriptedAgent(handlers: Readonly<Record<string, SessionHandler>>) {
  const clock = new VirtualClock();
  const gateway = new ScriptedGateway(clock);
  const agent = new Agent({
    instanceId: 'mi-0123456789abcdef0',
    region: 'eu-central-1',
    endpoint: 'http://gateway.localhost',
    credentials: { accessKeyId: 'AKIANODE', secretAccessKey: 'secret' },
    handlers,
    platform: { clock, random: seededRandom(5), transport: memoryTransport(gateway, { clock }) },
  });
  await clock.runUntil(agent.start());
  await clock.advance(1);
  return { clock, gateway, agent };
}
