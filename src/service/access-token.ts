import { base64, hex } from '../base/encoding.ts';
import type { RandomSource } from '../base/random.ts';
import { type Policy, parsePolicy } from '../policy/index.ts';
import type { AccessCredentials, AccessRequestRecord } from './access-request-record.ts';
import { type ArnScope, documentArn, sessionArn, targetArn } from './arn.ts';
import { newToken } from './token.ts';

/**
 * Access keys of requests for access are known by these letters, and by the number of the request behind them: it need
 * not be looked for.
 */
const PREFIX = 'ASIAHJIT';

const ALPHABET = 'ABCDEFGHIJKLMNOP';

/** `oi-` and 12 hexadecimal digits, as the API model wants it. */
export function newAccessRequestId(random: RandomSource): string {
  return `oi-${hex(random.bytes(6))}`;
}

export function newAccessCredentials(
  accessRequestId: string,
  issued: number,
  random: RandomSource,
): AccessCredentials {
  const digits = accessRequestId.slice('oi-'.length);
  return {
    accessKeyId: PREFIX + Array.from(digits, (digit) => ALPHABET[Number.parseInt(digit, 16)]).join(''),
    secretAccessKey: base64(random.bytes(30)),
    sessionToken: newToken(random),
    issued,
  };
}

export function isAccessTokenKey(accessKeyId: string): boolean {
  return KEY.test(accessKeyId);
}

const KEY = /^ASIAHJIT[A-P]{12}$/;

/** @param accessKeyId one of {@link isAccessTokenKey} */
export function accessRequestIdOf(accessKeyId: string): string {
  const letters = accessKeyId.slice(PREFIX.length);
  return `oi-${Array.from(letters, (letter) => ALPHABET.indexOf(letter).toString(16)).join('')}`;
}

/**
 * What an approval allows: sessions on the nodes that were asked for, with whatever document, and to resume and end
 * those sessions (POLICY.md section 6).
 */
export function accessGrant(record: AccessRequestRecord, scope: ArnScope): Policy<'identity'> {
  return parsePolicy('identity', document(record, scope), OF_ANY_SIZE);
}

/** What such credentials are limited to: the same, and what it takes to encrypt a session, which an approval does not give. */
export function accessNarrowing(record: AccessRequestRecord, scope: ArnScope): Policy<'session'> {
  const policy = document(record, scope);
  const encrypt = { Effect: 'Allow', Action: 'kms:GenerateDataKey', Resource: '*' };
  return parsePolicy('session', { ...policy, Statement: [...policy.Statement, encrypt] }, OF_ANY_SIZE);
}

/** The number of nodes is bounded already. */
const OF_ANY_SIZE = { maxCharacters: 1_000_000 };

function document({ targets, requester }: AccessRequestRecord, scope: ArnScope) {
  const nodes = targets.map((target) => targetArn(literal(target), scope));
  const documents = [documentArn('*', scope), documentArn('AWS-*', scope)];
  return {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: 'ssm:StartSession', Resource: [...nodes, ...documents] },
      { Effect: 'Allow', Action: 'ssm:GetConnectionStatus', Resource: nodes },
      {
        Effect: 'Allow',
        Action: ['ssm:ResumeSession', 'ssm:TerminateSession', 'ssmmessages:OpenDataChannel'],
        Resource: sessionArn('*', scope),
        Condition: {
          StringEquals: {
            'ssm:resourceTag/aws:ssmmessages:session-id': literal(requester.userId),
            'ssm:resourceTag/aws:ssmmessages:target-id': targets.map(literal),
          },
        },
      },
    ],
  };
}

/** The id of a node is anything that its host chose: no pattern, and no variable. */
function literal(text: string): string {
  return text.replace(/[$*?]/g, (character) => `\${${character}}`);
}
