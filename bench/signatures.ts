import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { SignatureVerifier, signRequest } from 'hawser/crypto';
import { defaultPlatform } from '../src/core/runtime.ts';
import { contest, type FigureSource, rateOf } from './measure.ts';

const region = 'eu-central-1';
const service = 'ssm';
const now = Date.UTC(2026, 10, 23, 12);
const credentials = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};
const { digest } = defaultPlatform();
const url = new URL('https://ssm.eu-central-1.amazonaws.com/');
const headers = {
  'content-type': 'application/x-amz-json-1.1',
  'x-amz-target': 'AmazonSSM.StartSession',
};
const body = new TextEncoder().encode(
  JSON.stringify({ Target: 'i-0123456789abcdef0', Reason: 'x'.repeat(977) }),
);

const sign = () =>
  signRequest({ method: 'POST', url, headers, body }, { credentials, region, service, now, digest });

const smithy = new SignatureV4({ credentials, region, service, sha256: Sha256 });
const bareSign = () =>
  smithy.sign(
    {
      method: 'POST',
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query: {},
      headers: { ...headers, host: url.host },
      body,
    },
    { signingDate: new Date(now) },
  );

/** Signature Version 4 of a call with 1 KB of JSON. */
export const signatureFigures: FigureSource[] = [
  {
    name: 'sigv4-sign-1KB',
    measure: () =>
      contest({
        name: 'sigv4-sign-1KB',
        unit: 'calls/s',
        beside: '@smithy/signature-v4 alone, with @aws-crypto/sha256-js',
        ours: () => rateOf(sign),
        yardstick: () => rateOf(bareSign),
      }),
  },
  {
    name: 'sigv4-verify-1KB',
    measure: async () => {
      const verifier = new SignatureVerifier({ lookup: () => credentials, digest });
      const request = { method: 'POST', url, headers: new Headers(await sign()), body };
      return contest({
        name: 'sigv4-verify-1KB',
        unit: 'calls/s',
        beside: 'signRequest',
        ours: () => rateOf(() => verifier.verify(request, { region, service, now })),
        yardstick: () => rateOf(sign),
      });
    },
  },
];
