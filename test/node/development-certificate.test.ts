import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DevelopmentCertificate, developmentCertificate, serve } from 'hawser/node';
import { expect, onTestFinished, test } from 'vitest';
import WebSocket from 'ws';

async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'hawser-certificate-'));
  onTestFinished(() => rm(path, { recursive: true }));
  return join(path, 'tls');
}

async function served(tls: DevelopmentCertificate, host = '127.0.0.1') {
  const server = await serve(
    {
      fetch: async ({ url }) => new Response(new URL(url).protocol),
      upgrade: async () => (socket) => {
        socket.handler = { message: (data) => socket.send(data), closed: () => {} };
      },
    },
    { tls, host },
  );
  onTestFinished(() => server.close());
  return server;
}

async function get(url: string, ca: string): Promise<string> {
  const sent = request(url, { agent: new Agent({ ca }) }).end();
  const [response] = await once(sent, 'response');
  let text = '';
  for await (const bytes of response) text += bytes;
  return text;
}

test('who trusts the authority reaches the server by TLS, also by WebSocket', async () => {
  const tls = await developmentCertificate({ directory: await directory() });
  const { url } = await served(tls);
  expect(url).toMatch(/^https:\/\/127\.0\.0\.1:/);
  await expect(get(url, tls.ca)).resolves.toBe('https:');
  await expect(get(url.replace('127.0.0.1', 'localhost'), tls.ca)).resolves.toBe('https:');

  const socket = new WebSocket(url.replace('https', 'wss'), { ca: tls.ca });
  await once(socket, 'open');
  socket.send('over TLS');
  expect(`${(await once(socket, 'message'))[0]}`).toBe('over TLS');
});

test('nobody else does', async () => {
  const tls = await developmentCertificate({ directory: await directory() });
  const { ca: other } = await developmentCertificate({ directory: await directory() });
  const { url } = await served(tls);
  await expect(get(url, other)).rejects.toThrow(/certificate/);
});

test('authority and certificate are kept, and made for more hosts without another authority', async () => {
  const path = await directory();
  const first = await developmentCertificate({ directory: path });
  expect(await developmentCertificate({ directory: path })).toEqual(first);
  expect(readFileSync(first.caFile, 'utf8')).toBe(first.ca);

  const hosts = ['nodes.example', '*.fleet.example', '192.0.2.7'];
  const second = await developmentCertificate({ directory: path, hosts });
  expect(second.ca).toBe(first.ca);
  const certificate = new X509Certificate(second.cert);
  expect(certificate.checkIP('192.0.2.7')).toBeTruthy();
  expect(certificate.checkHost('a.fleet.example')).toBeTruthy();
  expect(certificate.checkHost('localhost')).toBeUndefined();
  expect(certificate.verify(new X509Certificate(first.ca).publicKey)).toBe(true);
  expect(await developmentCertificate({ directory: path, hosts })).toEqual(second);
});

test('keys are readable by their owner alone', async () => {
  const path = await directory();
  await developmentCertificate({ directory: path });
  expect(statSync(path).mode & 0o777).toBe(0o700);
  for (const name of ['key.pem', 'ca-key.pem']) expect(statSync(join(path, name)).mode & 0o777).toBe(0o600);
});

test('what a crash left half is made anew', async () => {
  const path = await directory();
  const first = await developmentCertificate({ directory: path });
  rmSync(join(path, 'cert.pem'));
  const second = await developmentCertificate({ directory: path });
  expect(second.ca).toBe(first.ca);
  writeFileSync(join(path, 'ca-key.pem'), second.key); // of another certificate
  const third = await developmentCertificate({ directory: path });
  expect(third.ca).not.toBe(first.ca);
  expect(new X509Certificate(third.cert).verify(new X509Certificate(third.ca).publicKey)).toBe(true);
});

test('a server takes another certificate while it runs', async () => {
  const first = await developmentCertificate({ directory: await directory() });
  const second = await developmentCertificate({ directory: await directory() });
  const server = await served(first);
  server.setTls(second);
  await expect(get(server.url, second.ca)).resolves.toBe('https:');
  await expect(get(server.url, first.ca)).rejects.toThrow(/certificate/);
});

test('a server on every address is reached as localhost', async () => {
  const tls = await developmentCertificate({ directory: await directory() });
  const { url } = await served(tls, '0.0.0.0');
  expect(url).toMatch(/^https:\/\/localhost:/);
  await expect(get(url, tls.ca)).resolves.toBe('https:');
});
