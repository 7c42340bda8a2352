import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseAmzDate } from '../../src/crypto/sigv4/date.ts';
import { tampered } from '../crypto/tampering.ts';
import { notRefused, verifierOf, type WireRequest } from '../crypto/wire-request.ts';
import { AWS, missing } from './world.ts';

const region = 'eu-central-1';
const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const user = { secretAccessKey };
const role = { secretAccessKey, sessionToken: 'session-token-for-tests+/==' };

// A machine without the AWS CLI can try everything else; CI installs it.
describe.skipIf(missing)(
  'what the AWS CLI signs is taken as it is and no other way',
  { timeout: 60_000 },
  () => {
    test.each([
      ['ssm', 'describe-sessions --state Active', user],
      ['ssm', 'start-session --target i-0123456789abcdef0 --reason ünterwegs', role],
      ['kms', 'generate-data-key --key-id alias/sessions --number-of-bytes 64', user],
      ['kms', 'decrypt --ciphertext-blob AAECAw== --encryption-context a=b', role],
    ])('aws %s %s', async (service, words, record) => {
      const request = await sentBy([service, ...words.split(' ')], service, record);
      const verify = verifierOf(record);
      await expect(verify(request)).resolves.toBe(record);
      expect(await notRefused(verify, tampered(request))).toEqual([]);
    });

    test('aws s3 presign, of a key that no other service would leave as it is', async () => {
      const printed = await aws(
        ['s3', 'presign', 's3://my-bucket/a b/../c+d//é.log', '--expires-in', '60'],
        role,
      );
      const [, host, path, query] = /^https:\/\/([^/]+)([^?]+)\?(.*)$/.exec(printed.trim())!;
      expect(path).toBe('/a%20b/../c%2Bd//%C3%A9.log');
      const request = presigned({ host: host!, path: path!, query: query! }, 's3');
      const verify = verifierOf(role, { pathEncoding: 's3', unsignedPayload: true });
      await expect(verify(request)).resolves.toBe(role);
      expect(await notRefused(verify, tampered(request, { unsignedBody: true }))).toEqual([]);
      // Neither its path nor its body, which S3 leaves unsigned, is right for another service.
      await expect(verifierOf(role, { unsignedPayload: true })(request)).rejects.toThrow('does not match');
      await expect(verifierOf(role, { pathEncoding: 's3' })(request)).rejects.toThrow('does not match');
    });

    test('aws eks get-token, whose URL needs a header', async () => {
      const { status } = JSON.parse(await aws(['eks', 'get-token', '--cluster-name', 'fleet'], role));
      const url = new URL(Buffer.from(status.token.replace('k8s-aws-v1.', ''), 'base64url').toString());
      const request = presigned({ host: url.host, path: url.pathname, query: url.search.slice(1) }, 'sts', [
        ['x-k8s-aws-id', 'fleet'],
      ]);
      const verify = verifierOf(role);
      await expect(verify(request)).resolves.toBe(role);
      expect(await notRefused(verify, tampered(request))).toEqual([]);
    });
  },
);

function presigned(
  { host, path, query }: { host: string; path: string; query: string },
  service: string,
  lines: readonly (readonly [string, string])[] = [],
): WireRequest {
  const now = parseAmzDate(new URLSearchParams(query).get('X-Amz-Date')!)!;
  const expected = { region, service, now };
  return { method: 'GET', path, query, lines: [['Host', host], ...lines], body: new Uint8Array(0), expected };
}

/** What the CLI sends to a service that turns it away. */
async function sentBy(words: readonly string[], service: string, record: typeof user): Promise<WireRequest> {
  const sent: WireRequest[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { rawHeaders, method = '', url = '' } = request;
    const lines = rawHeaders.flatMap((name, index) =>
      index % 2 === 0 ? [[name, rawHeaders[index + 1]!] as const] : [],
    );
    const [path, query = ''] = url.split('?');
    const now = parseAmzDate(String(request.headers['x-amz-date']))!;
    const expected = { region, service, now };
    sent.push({ method, path: path!, query, lines, body: new Uint8Array(Buffer.concat(chunks)), expected });
    response.writeHead(400, { 'content-type': 'application/x-amz-json-1.1' });
    response.end('{"__type":"AccessDeniedException"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await expect(aws([...words, '--endpoint-url', endpoint], record)).rejects.toThrow('AccessDenied');
  expect(sent).toHaveLength(1);
  return sent[0]!;
}

/** What it prints. */
function aws(
  words: readonly string[],
  record: { secretAccessKey: string; sessionToken?: string },
): Promise<string> {
  const home = mkdtempSync(join(tmpdir(), 'hawser-aws-'));
  onTestFinished(() => rmSync(home, { recursive: true }));
  const env = {
    PATH: [dirname(AWS), process.env.PATH].join(delimiter),
    HOME: home,
    AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
    AWS_SECRET_ACCESS_KEY: record.secretAccessKey,
    ...(record.sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: record.sessionToken }),
    AWS_DEFAULT_REGION: region,
    AWS_PAGER: '',
    LC_ALL: 'C.UTF-8',
  };
  return new Promise((resolve, reject) => {
    execFile(AWS, words, { env }, (error, stdout, stderr) => {
      if (error) reject(new Error(stderr));
      else resolve(stdout);
    });
  });
}
