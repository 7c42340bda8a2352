import { chmodSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { deferred } from '../../src/base/deferred.ts';
import { type IamDirectoryFileOptions, iamDirectoryFile } from '../../src/node/index.ts';

const SCOPE = { region: 'eu-central-1', accountId: '111122223333' };
const janes = (...policies: object[]) => ({
  users: { jane: { policies, accessKeys: [{ accessKeyId: 'AKIAJANE', secretAccessKey: 'secret of jane' }] } },
});
const START = { Statement: { Effect: 'Allow', Action: 'ssm:StartSession', Resource: '*' } };
const DENY = { Statement: { Effect: 'Deny', Action: 'ssm:StartSession', Resource: '*' } };

function place() {
  const directory = mkdtempSync(join(tmpdir(), 'hawser-iam-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'iam.json');
  const write = (text: object | string) =>
    writeFileSync(path, typeof text === 'string' ? text : JSON.stringify(text), { mode: 0o600 });
  return { directory, path, write };
}

async function opened(path: string, options: Partial<IamDirectoryFileOptions> = {}) {
  // By itself it does not look within a test, unless the test says so.
  const iam = await iamDirectoryFile(path, { ...SCOPE, interval: 3_600_000, ...options });
  onTestFinished(() => iam.close());
  const may = async () => {
    const record = iam.credentials('AKIAJANE');
    if (!record) return 'unknown';
    const { principal } = record;
    const question = { principal, action: 'ssm:StartSession', resource: '*', context: new Map() };
    return (await iam.authorize(question)).effect;
  };
  return { iam, may };
}

test('a file says who may do what', async () => {
  const { path, write } = place();
  write(janes(START));
  expect(await (await opened(path)).may()).toBe('Allow');
});

describe('a file that has changed', () => {
  test('is read again by itself, and those who want to know are told', async () => {
    const { path, write } = place();
    write(janes(START));
    let reloaded = () => {};
    const { iam, may } = await opened(path, { interval: 5, onReload: () => reloaded() });
    const changes: string[] = [];
    iam.policyChanges(() => changes.push('changed'));
    const reload = new Promise<void>((resolve) => {
      reloaded = resolve;
    });
    write(janes(DENY));
    await reload;
    expect([await may(), changes]).toEqual(['ExplicitDeny', ['changed']]);
  });

  test('also when another takes its place', async () => {
    const { directory, path, write } = place();
    write(janes(START));
    const { iam, may } = await opened(path);
    const draft = join(directory, 'draft');
    writeFileSync(draft, JSON.stringify(janes()), { mode: 0o600 });
    renameSync(draft, path);
    await iam.reload();
    expect(await may()).toBe('ImplicitDeny');
  });

  test('and is broken leaves the last good version in force: by itself, told once for each version', async () => {
    const { path, write } = place();
    write(janes(START));
    const errors: Error[] = [];
    let heard = () => {};
    const { may, iam } = await opened(path, {
      interval: 5,
      onError: (error) => {
        errors.push(error);
        heard();
      },
    });
    const next = () =>
      new Promise<void>((resolve) => {
        heard = resolve;
      });
    const first = next();
    write(JSON.stringify(janes(DENY)).slice(0, -1));
    await first;
    expect(await may()).toBe('Allow');
    expect(errors).toMatchObject([{ code: 'ERR_IAM_DIRECTORY' }]);
    expect(errors[0]?.message).not.toContain('secret');

    const second = next();
    rmSync(path);
    await second;
    expect(await may()).toBe('Allow');
    expect(errors.map((error) => (error as { code?: string }).code)).toEqual([
      'ERR_IAM_DIRECTORY',
      'ERR_IAM_FILE_MISSING',
    ]);
    iam.close();
  });

  test.each<[string, object | string]>([
    ['half of it', '{"users":{"bob":{"accessKeys":[{"accessKeyId":"AKIABOB","secretAccessKey":"s"}]}}'],
    ['a policy that is none', { ...janes({ Statement: { Effect: 'Permit', Action: '*', Resource: '*' } }) }],
    [
      'one user good, another not',
      {
        users: {
          bob: { accessKeys: [{ accessKeyId: 'AKIABOB', secretAccessKey: 's' }] },
          jane: { groups: ['x'] },
        },
      },
    ],
    ['nothing', ''],
  ])('is never in force by half: %s', async (_, text) => {
    const { path, write } = place();
    write(janes(START));
    const { iam, may } = await opened(path);
    write(text);
    await expect(iam.reload()).rejects.toMatchObject({ code: 'ERR_IAM_DIRECTORY' });
    expect([await may(), iam.credentials('AKIABOB')]).toEqual(['Allow', undefined]);
    write(janes(DENY));
    await iam.reload();
    expect(await may()).toBe('ExplicitDeny');
  });
});

describe.skipIf(process.platform === 'win32')('a file that other users can read', () => {
  test('is not read', async () => {
    const { path, write } = place();
    write(janes(START));
    chmodSync(path, 0o640);
    await expect(opened(path)).rejects.toMatchObject({ code: 'ERR_IAM_FILE_MODE' });
  });

  test('is not read again', async () => {
    const { path, write } = place();
    write(janes(START));
    const { iam, may } = await opened(path);
    write(janes(DENY));
    chmodSync(path, 0o604);
    await expect(iam.reload()).rejects.toMatchObject({ code: 'ERR_IAM_FILE_MODE' });
    expect(await may()).toBe('Allow');
  });

  test('or that is a link into a directory which they can write', async () => {
    const [own, shared] = [place(), place()];
    shared.write(janes(START));
    symlinkSync(shared.path, own.path);
    const { iam, may } = await opened(own.path);
    chmodSync(shared.directory, 0o777);
    await expect(iam.reload()).rejects.toMatchObject({ code: 'ERR_IAM_FILE_MODE' });
    expect(await may()).toBe('Allow');
  });

  test('or whose directory they can write', async () => {
    const { directory, path, write } = place();
    write(janes(START));
    chmodSync(directory, 0o770);
    await expect(opened(path)).rejects.toMatchObject({ code: 'ERR_IAM_FILE_MODE' });
  });
});

test.skipIf(process.platform === 'win32')(
  'a file that could not be read is read as soon as it can, and is told of once',
  async () => {
    const { directory, path, write } = place();
    write(janes(START));
    const codes: unknown[] = [];
    const told = deferred();
    const reloaded = deferred();
    const { may } = await opened(path, {
      interval: 5,
      onReload: reloaded.resolve,
      onError: (error) => {
        codes.push((error as { code?: string }).code);
        told.resolve();
      },
    });
    chmodSync(directory, 0o770);
    write(janes(DENY));
    await told.promise;
    chmodSync(directory, 0o700); // as the error says; the file itself stays as it is
    await reloaded.promise;
    expect([await may(), codes]).toEqual(['ExplicitDeny', ['ERR_IAM_FILE_MODE']]);
  },
);

test('a host that throws when it is told of an error hears of the next version all the same', async () => {
  const { path, write } = place();
  write(janes(START));
  const told = deferred();
  const reloaded = deferred();
  const { may } = await opened(path, {
    interval: 5,
    onReload: reloaded.resolve,
    onError: () => {
      told.resolve();
      throw new Error('the log is full');
    },
  });
  write('{');
  await told.promise;
  write(janes(DENY));
  await reloaded.promise;
  expect(await may()).toBe('ExplicitDeny');
});

test('once closed it puts no other version in force', async () => {
  const { path, write } = place();
  write(janes(START));
  const { iam, may } = await opened(path);
  write(janes(DENY));
  const reload = iam.reload();
  iam.close();
  await reload;
  expect(await may()).toBe('Allow');
});

test('a file that is not there is said so', async () => {
  await expect(opened(join(place().directory, 'nobody'))).rejects.toMatchObject({
    code: 'ERR_IAM_FILE_MISSING',
  });
});

test('without onError the process is warned', async () => {
  const { path, write } = place();
  write(janes(START));
  await opened(path, { interval: 5 });
  const warning = new Promise<Error>((resolve) => process.once('warning', resolve));
  write('{');
  expect(await warning).toMatchObject({ code: 'ERR_IAM_DIRECTORY' });
});
