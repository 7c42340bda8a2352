import { describe, expect, test } from 'vitest';
import { AWS_DOCUMENTS } from '../../src/core/documents/aws-documents.ts';
import { memoryStore } from '../../src/service/index.ts';
import { NODE, WireNode, type World, world } from './world.ts';

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

describe('the values of parameters are checked before anything starts', () => {
  test('in the words of AWS', async () => {
    const w = world();
    const node = await w.node();
    const Parameters = { host: ['a; rm -rf /'], portNumber: ['22'] };
    const answer = await w.call('StartSession', { Target: NODE, DocumentName: DOCUMENT, Parameters });
    const pattern = AWS_DOCUMENTS[DOCUMENT]!.parameters!.host!.allowedPattern;
    expect(answer.body).toMatchObject({
      __type: 'InvalidParameters',
      Message: `Parameter "host" has value "a; rm -rf /" not matching "${pattern}".`,
    });
    expect(node.control.json('interactive_shell')).toEqual([]);
    expect(await w.ok('DescribeSessions', { State: 'Active' })).toMatchObject({ Sessions: [] });
  });

  test.each([
    ['__proto__', '{"__proto__":["1"]}'],
    ['two values', '{"portNumber":["80","81"]}'],
    ['an empty list', '{"portNumber":[]}'],
    ['a value of 60,000 characters', JSON.stringify({ portNumber: ['1'.repeat(60_000)] })],
    ['values of more than 64 KB', JSON.stringify({ portNumber: ['1'.repeat(65_535)] })],
  ])('%s', async (_, parameters) => {
    const w = world();
    await w.node();
    const input = { Target: NODE, DocumentName: 'AWS-StartSSHSession', Parameters: JSON.parse(parameters) };
    const { body } = await w.call('StartSession', input);
    expect(body).toMatchObject({ __type: 'InvalidParameters' });
    expect(JSON.stringify(body).length).toBeLessThan(5000);
  });

  test('after the rights of the caller, the connection of the node and the version of its agent', async () => {
    let effect: 'Allow' | 'ExplicitDeny' = 'Allow';
    const w = world({
      authorize: () => (effect === 'Allow' ? { effect } : { effect, policyType: 'identity-based policy' }),
    });
    const input = { Target: NODE, DocumentName: DOCUMENT, Parameters: { nothing: ['x'] } };
    const refusal = async () => (await w.call('StartSession', input)).body.__type;
    await w.service.registerTarget({ id: NODE });
    expect(await refusal()).toBe('TargetNotConnected');
    await w.node();
    expect(await refusal()).toBe('InvalidParameters');
    effect = 'ExplicitDeny';
    expect(await refusal()).toBe('AccessDeniedException');
  });
});

describe('an agent that is too old', () => {
  const host = { host: ['db.internal'] };

  test.each([
    ['3.1.1373.0', DOCUMENT, host, 'port forwarding to remote hosts. Update the agent to version 3.1.1374.0'],
    ['2.3.671.0', 'AWS-StartSSHSession', {}, 'port forwarding. Update the agent to version 2.3.672.0'],
    ['3.1.1374.0', DOCUMENT, host, undefined],
    ['2.3.672.0', 'AWS-StartSSHSession', {}, undefined],
    ['2.0.0.0', 'AWS-StartInteractiveCommand', { command: ['ls'] }, undefined],
    ['', DOCUMENT, host, undefined],
  ])('%s, for %s', async (version, DocumentName, Parameters, text) => {
    const w = world();
    await w.clock.runUntil(w.service.registerTarget({ id: NODE }));
    const node = new WireNode(NODE, w.clock, w.transport);
    await node.connect(version);
    const { status, body } = await w.call('StartSession', { Target: NODE, DocumentName, Parameters });
    if (text === undefined) expect(status).toBe(200);
    else {
      expect(body).toMatchObject({
        __type: 'BadRequest',
        Message: `The version of the SSM agent installed on this instance doesn't support ${text} or later.`,
      });
    }
  });
});

describe('the preferences of the account', () => {
  const preferences = {
    schemaVersion: '1.0',
    sessionType: 'Standard_Stream',
    inputs: { s3BucketName: 'logs', idleSessionTimeout: '1' },
  } as const;

  test('reach the sessions of documents that have none', async () => {
    const w = world({ documents: { 'SSM-SessionManagerRunShell': preferences } });
    const { DocumentContent } = await sent(w, { DocumentName: 'AWS-StartSSHSession' });
    expect(DocumentContent).toEqual({ ...AWS_DOCUMENTS['AWS-StartSSHSession'], inputs: preferences.inputs });
    await w.clock.advance(62_000);
    expect(await w.ok('DescribeSessions', { State: 'Active' })).toMatchObject({ Sessions: [] });
  });

  test('leave the documents alone that have their own', async () => {
    const inputs = { maxSessionDuration: '{{ minutes }}' };
    const parameters = { minutes: { type: 'Integer' } } as const;
    const w = world({
      documents: {
        'SSM-SessionManagerRunShell': preferences,
        'Acme-Short': { ...preferences, inputs, parameters },
      },
    });
    const short = { DocumentName: 'Acme-Short', Parameters: { minutes: ['2'] } };
    const { DocumentContent } = await sent(w, short);
    expect(DocumentContent).toMatchObject({ inputs });
    expect(await w.ok('DescribeSessions', { State: 'Active' })).toMatchObject({
      Sessions: [{ MaxSessionDuration: '2' }],
    });
    const late = { ...short, Target: NODE, Parameters: { minutes: ['1441'] } };
    expect((await w.call('StartSession', late)).body).toMatchObject({ __type: 'InvalidParameters' });
  });
});

test('a document called what no document can be called is refused when the service is made', () => {
  const document = { schemaVersion: '1.0', sessionType: 'Standard_Stream' } as const;
  expect(() => world({ documents: { 'Acme Shell': document } })).toThrow(
    expect.objectContaining({ code: 'ERR_DOCUMENT_NAME' }),
  );
});

describe('registered documents', () => {
  const shell = { schemaVersion: '1.0', sessionType: 'Standard_Stream' } as const;

  test('can be used from then on, and by every service on the same store', async () => {
    const store = memoryStore();
    const one = world({ store });
    const other = world({ store });
    for (const description of ['first', 'second']) {
      await one.service.registerDocument('Acme-Shell', { ...shell, description });
    }
    expect((await sent(other, { DocumentName: 'Acme-Shell' })).DocumentContent).toMatchObject({
      description: 'second',
    });
  });

  test('come with a warning where a parameter can be any command', async () => {
    const w = world();
    const properties = { linux: { commands: 'cat {{ path }} {{ lines }}' } };
    const parameters = {
      path: { type: 'String' },
      lines: { type: 'String', allowedPattern: '^[0-9]+$' },
    } as const;
    const { warnings } = await w.service.registerDocument('Acme-Cat', {
      ...shell,
      sessionType: 'InteractiveCommands',
      parameters,
      properties,
    });
    expect(warnings).toEqual([expect.stringContaining('The parameter path goes into a command')]);
    expect((await w.service.registerDocument('Acme-Shell', shell)).warnings).toEqual([]);
  });

  test('are refused by name and by number', async () => {
    const w = world({ limits: { documents: 2 } });
    for (const name of ['AWS-Shell', 'amazon-x', 'no spaces', 'ab']) {
      await expect(w.service.registerDocument(name, shell)).rejects.toMatchObject({
        code: 'ERR_DOCUMENT_NAME',
      });
    }
    await w.service.registerDocument('One-Shell', shell);
    await w.service.registerDocument('Two-Shell', shell);
    await expect(w.service.registerDocument('Three-Shell', shell)).rejects.toMatchObject({
      code: 'ERR_DOCUMENT_LIMIT',
    });
    await w.service.registerDocument('Two-Shell', shell); // known already
  });
});
