/**
 * Who may do what, in one file: three nodes that listen to nobody, two users, one policy file. Jane may start sessions on
 * the web servers, Bob on everything; then Jane's access is taken away while she has a session.
 *
 *     npm ci && node scripts/run.mjs examples/secure-fleet.ts
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SessionClient } from 'hawser';
import { Agent, virtualShell } from 'hawser/agent';
import { iamDirectoryFile, serve } from 'hawser/node';
import { type IamDocument, SessionManagerService } from 'hawser/service';

const region = 'eu-central-1';
const accountId = '111122223333';
const teams: Record<string, string> = { 'mi-web-1': 'web', 'mi-web-2': 'web', 'mi-data-1': 'data' };
const nodes = Object.keys(teams);
const secret = () => randomBytes(20).toString('hex');
const jane = { accessKeyId: 'AKIAJANE', secretAccessKey: secret() };
const bob = { accessKeyId: 'AKIABOB', secretAccessKey: secret() };
const nodeKeys = nodes.map((name, n) => ({ name, accessKeyId: `AKIANODE${n}`, secretAccessKey: secret() }));

// The file. In the life of a fleet somebody else writes it, and the service reads it again when it has changed.
const statement = (Action: string | string[], Resource: string | string[], more: object = {}) => ({
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Action, Resource, ...more },
});
const shell = 'arn:aws:ssm:*:*:document/SSM-SessionManagerRunShell';
const everyNode = 'arn:aws:ssm:*:*:managed-instance/*';
const isWeb = { Condition: { StringEquals: { 'ssm:resourceTag/team': 'web' } } };
const fleet = (groupsOfJane: string[]): IamDocument => ({
  policies: {
    Shell: statement('ssm:StartSession', shell),
    WebServers: statement('ssm:StartSession', everyNode, isWeb),
    Everything: statement('ssm:*', '*'),
  },
  groups: { web: { policies: ['Shell', 'WebServers'] }, administrators: { policies: ['Everything'] } },
  users: {
    jane: { groups: groupsOfJane, accessKeys: [jane] },
    bob: { groups: ['administrators'], accessKeys: [bob] },
  },
  roles: { Node: { sessions: nodeKeys.map((key) => ({ ...key, targetId: key.name })) } },
});
const directory = await mkdtemp(join(tmpdir(), 'hawser-fleet-'));
const file = join(directory, 'iam.json');
const write = (document: IamDocument) =>
  writeFile(file, JSON.stringify(document, undefined, 2), { mode: 0o600 });
await write(fleet(['web']));

// The service: it alone listens.
const iam = await iamDirectoryFile(file, { region, accountId });
const service = new SessionManagerService({ region, accountId, ...iam, endRevokedSessions: true });
const server = await serve(service);
const agents = await Promise.all(
  nodeKeys.map(async ({ name: id, ...credentials }) => {
    await service.registerTarget({ id, tags: { team: teams[id]! } });
    const handlers = { Standard_Stream: virtualShell({ commands: { hostname: `${id}\n` } }) };
    const agent = new Agent({ instanceId: id, region, endpoint: server.url, credentials, handlers });
    await agent.start();
    return agent;
  }),
);

// What a portal would list.
for (const name of ['jane', 'bob']) {
  const user = iam.principal(`arn:aws:iam::${accountId}:user/${name}`)!;
  const permissions = await service.canStartEach(user, nodes);
  console.log(`${name} may start on ${nodes.filter((id) => permissions.get(id)?.allowed).join(', ')}.`);
}

const client = new SessionClient({ region, endpoint: server.url, credentials: jane });
const refused = async (target: string) => {
  const error = await client.startSession({ target }).then(
    () => undefined,
    (thrown: Error) => thrown,
  );
  console.log(`jane on ${target}: ${error?.message}`);
};
await refused('mi-data-1');

const session = await client.startSession({ target: 'mi-web-1' });
console.log('jane has a session on mi-web-1.');
await write(fleet([]));
await iam.reload(); // it would do so by itself, within a second
const { reason, message } = await session.ended;
console.log(`It ended: ${reason}. ${message}`);
await refused('mi-web-1');

await Promise.all(agents.map((agent) => agent.stop()));
await service.close();
await server.close();
iam.close();
await rm(directory, { recursive: true });
