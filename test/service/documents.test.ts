import { describe, expect, test } from 'vitest';
import { AWS_DOCUMENTS } from '../../src/core/documents/aws-documents.ts';
import { NODE, type World, world } from './world.ts';

/** What the agent is sent for a StartSession. */
async function sent(w: World, input: object) {
  const node = await w.node();
  await w.start(input);
  const [task] = node.control.json('interactive_shell');
  return JSON.parse(task?.Content as string) as Record<string, unknown>;
}

const DOCUMENT = 'AWS-StartPortForwardingSessionToRemoteHost';

describe('StartSession with parameters', () => {
  test('sends the document unresolved, and the values given as plain strings', async () => {
    const w = world();
    const Parameters = { host: ['db.internal'], portNumber: ['5432'] };
    expect(await sent(w, { DocumentName: DOCUMENT, Parameters })).toMatchObject({
      DocumentName: DOCUMENT,
      DocumentContent: AWS_DOCUMENTS[DOCUMENT],
      Parameters: { host: 'db.internal', portNumber: '5432' },
    });
  });

  test('sends a list for a StringList, and no defaults', async () => {
    const document = {
      schemaVersion: '1.0',
      sessionType: 'Custom',
      parameters: { names: { type: 'StringList' }, size: { type: 'Integer', default: '3' } },
    } as const;
    const w = world({ documents: { 'Acme-List': document } });
    const { Parameters } = await sent(w, { DocumentName: 'Acme-List', Parameters: { names: ['a', 'b'] } });
    expect(Parameters).toEqual({ names: ['a', 'b'] });
  });

  test.each([
    ['a required one is missing', 'AWS-StartInteractiveCommand', {}],
    ['one is not declared', 'AWS-StartSSHSession', { host: ['a'] }],
    ['one is named like a member of every object', 'AWS-StartSSHSession', { constructor: ['a'] }],
  ])('is refused in the words of the model when %s', async (_, DocumentName, Parameters) => {
    const w = world();
    await w.node();
    const { status, body } = await w.call('StartSession', { Target: NODE, DocumentName, Parameters });
    expect({ status, ...body }).toMatchObject({
      status: 400,
      __type: 'InvalidParameters',
      Message: expect.stringContaining('You must specify values for all required parameters'),
    });
  });

  test('is refused for two values where one is due', async () => {
    const w = world();
    await w.node();
    const Parameters = { portNumber: ['1', '2'] };
    const { body } = await w.call('StartSession', {
      Target: NODE,
      DocumentName: 'AWS-StartSSHSession',
      Parameters,
    });
    expect(body).toMatchObject({
      __type: 'InvalidParameters',
      Message: 'Parameter "portNumber" takes one value, and was given 2.',
    });
  });
});
