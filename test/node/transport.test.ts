import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { developmentCertificate, serve } from 'hawser/node';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { deferred } from '../../src/base/deferred.ts';
import { trustedCertificates } from '../../src/node/certificates.ts';
import { nodeTransport } from '../../src/node/transport.ts';

describe('the transport of the plugin', () => {
  let url: string;
  let caFile: string;

  beforeAll(async () => {
    const directory = mkdtempSync(join(tmpdir(), 'hawser-transport-'));
    const tls = await developmentCertificate({ directory });
    const server = await serve(
      {
        fetch: async (request) => {
          const body = `${request.method} ${request.headers.get('x-asked')} ${await request.text()}`;
          return new Response(body, { status: 418, headers: { 'x-answered': 'yes' } });
        },
        upgrade: async (request) => {
          if (request.url.endsWith('/no')) return new Response('', { status: 403 });
          return (socket) => {
            socket.handler = { message: (data) => socket.send(data), closed: () => {} };
          };
        },
      },
      { tls },
    );
    ({ url } = server);
    ({ caFile } = tls);
    return async () => {
      await server.close();
      rmSync(directory, { recursive: true });
    };
  });

  const transportOf = (environment: NodeJS.ProcessEnv) =>
    nodeTransport({ certificates: trustedCertificates(environment) });
  const post = () => new Request(url, { method: 'POST', headers: { 'x-asked': 'this' }, body: 'hello' });
  const streamUrl = () => `${url.replace('https', 'wss')}/stream`;

  test.each(['AWS_CA_BUNDLE', 'SSL_CERT_FILE'])('trusts the authority that %s names', async (variable) => {
    const transport = transportOf({ [variable]: caFile });
    const response = await transport.fetch(post());
    expect(response.status).toBe(418);
    expect(response.headers.get('x-answered')).toBe('yes');
    expect(await response.text()).toBe('POST this hello');

    const socket = await transport.connect(streamUrl());
    onTestFinished(() => socket.close());
    const heard = deferred<Uint8Array | string>();
    socket.handler = { message: heard.resolve, closed: () => {} };
    socket.send(Uint8Array.of(1, 2, 3));
    expect(await heard.promise).toEqual(Uint8Array.of(1, 2, 3));
  });

  test('trusts nobody that it need not', async () => {
    for (const transport of [transportOf({}), transportOf({ AWS_CA_BUNDLE: import.meta.filename })]) {
      await expect(transport.fetch(post())).rejects.toThrow();
      await expect(transport.connect(streamUrl())).rejects.toMatchObject({ code: 'ERR_CONNECT_FAILED' });
    }
  });

  test('trusts also whom NODE_EXTRA_CA_CERTS names, and the authorities of the system', () => {
    const own = readFileSync(caFile, 'utf8');
    const both = { AWS_CA_BUNDLE: caFile, NODE_EXTRA_CA_CERTS: caFile };
    expect(trustedCertificates(both)).toEqual([own, own]);
    const debian = '/etc/ssl/certs/ca-certificates.crt';
    if (existsSync(debian)) expect(trustedCertificates({})).toEqual([readFileSync(debian, 'utf8')]);
  });

  test('says which file cannot be read', () => {
    expect(() => trustedCertificates({ AWS_CA_BUNDLE: '/nowhere/ca.pem' })).toThrow(
      'The certificates that AWS_CA_BUNDLE names cannot be read.',
    );
  });

  test('tells of a refused upgrade, and stops when it is told to', async () => {
    const transport = transportOf({ AWS_CA_BUNDLE: caFile });
    await expect(transport.connect(`${streamUrl()}/no`)).rejects.toMatchObject({
      code: 'ERR_UPGRADE_REFUSED',
    });
    const reason = new Error('stop');
    await expect(transport.connect(streamUrl(), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const abort = new AbortController();
    const connecting = transport.connect(streamUrl(), { signal: abort.signal });
    abort.abort(reason);
    await expect(connecting).rejects.toBe(reason);
  });
});
