import { Dice } from '../../sim/dice.ts';
import { parseAll } from '../../sim/policy/compare.ts';
import { randomCase } from '../../sim/policy/random-case.ts';
import { evaluate } from '../../src/policy/index.ts';
import type { Documents, PolicyDocument, StatementDocument } from './second-evaluator.ts';

export type Change = 'add Deny' | 'add Allow' | 'reverse statements' | 'split policies' | 'change case';

/** What came of a change over many random policies: requests that are now allowed, now denied, or denied otherwise. */
export interface Outcomes {
  asked: number;
  allowed: number;
  denied: number;
  other: number;
}

export function outcomesOf(change: Change, seeds: number): Outcomes {
  const outcomes = { asked: 0, allowed: 0, denied: 0, other: 0 };
  for (let seed = 0; seed < seeds; seed++) {
    const { documents, requests } = randomCase(seed);
    // A policy in the place of another kind's, so that the Allow that is added has something to do with the requests.
    const added = randomCase(seed + 1_000_000).documents.identity?.[0];
    const before = parseAll(documents);
    const after = parseAll(changed(documents, change, added, new Dice(seed)));
    for (const request of requests) {
      const [was, is] = [evaluate(before, request), evaluate(after, request)];
      outcomes.asked++;
      if (was.effect !== 'Allow' && is.effect === 'Allow') outcomes.allowed++;
      else if (was.effect === 'Allow' && is.effect !== 'Allow') outcomes.denied++;
      else if (JSON.stringify(was) !== JSON.stringify(is)) outcomes.other++;
    }
  }
  return outcomes;
}

function changed(
  documents: Documents,
  change: Change,
  added: PolicyDocument | undefined,
  dice: Dice,
): Documents {
  switch (change) {
    case 'add Deny':
      return withMore(documents, added, 'Deny', dice);
    case 'add Allow':
      return withMore(documents, added, 'Allow', dice);
    case 'reverse statements':
      return everyList(documents, (list) =>
        [...list]
          .reverse()
          .map((document) => ({ ...document, Statement: [...statements(document)].reverse() })),
      );
    case 'split policies':
      return everyList(documents, (list) =>
        list.flatMap((document) => statements(document).map((one) => ({ ...document, Statement: one }))),
      );
    case 'change case':
      return everyList(documents, (list) =>
        list.map((document) => ({ ...document, Statement: statements(document).map(otherCase) })),
      );
  }
}

/** The statements of a policy with another effect, in one of the places where they may stand. */
function withMore(
  documents: Documents,
  added: PolicyDocument | undefined,
  effect: 'Allow' | 'Deny',
  dice: Dice,
): Documents {
  if (!added) return documents;
  const more = { ...added, Statement: statements(added).map((one) => ({ ...one, Effect: effect })) };
  const place = dice.pick(['identity', 'session', 'resource', 'scp'] as const);
  const { identity, session, resource, scp } = documents;
  switch (place) {
    case 'resource': {
      const forAll = {
        ...more,
        Statement: more.Statement.map((one) => ({ ...one, Principal: '*' as const })),
      };
      return { ...documents, resource: [...(resource ?? []), forAll] };
    }
    // Where there is no such filter, to add one would be another change.
    case 'session':
      return session ? { ...documents, session: [...session, more] } : documents;
    case 'scp':
      return scp?.[0] ? { ...documents, scp: [[...scp[0], more], ...scp.slice(1)] } : documents;
    case 'identity':
      return { ...documents, identity: [...(identity ?? []), more] };
  }
}

function everyList(
  documents: Documents,
  change: (list: readonly PolicyDocument[]) => readonly PolicyDocument[],
): Documents {
  const { boundary, vpce } = documents;
  const { identity, resource, session, scp, rcp } = documents;
  const one = (document: PolicyDocument) => {
    const parts = change([document]);
    // Of boundaries and endpoint policies there is one only, which cannot be split.
    return parts.length === 1 ? parts[0]! : document;
  };
  return {
    ...(identity && { identity: change(identity) }),
    ...(resource && { resource: change(resource) }),
    ...(session && { session: change(session) }),
    ...(scp && { scp: scp.map(change) }),
    ...(rcp && { rcp: rcp.map(change) }),
    ...(boundary && { boundary: one(boundary) }),
    ...(vpce && { vpce: one(vpce) }),
  };
}

function statements({ Statement }: PolicyDocument): readonly StatementDocument[] {
  return [Statement].flat();
}

/** Actions, operators and context keys, those of variables included, the other way round. */
function otherCase(statement: StatementDocument): StatementDocument {
  const texts = (value: string | readonly string[], change: (text: string) => string) =>
    typeof value === 'string' ? change(value) : value.map(change);
  const { Action, NotAction, Condition } = statement;
  return {
    ...statement,
    ...(Action && { Action: texts(Action, swapped) }),
    ...(NotAction && { NotAction: texts(NotAction, swapped) }),
    ...(Condition && {
      Condition: swappedKeys(Condition, (keys) => swappedKeys(keys, (values) => values)),
    }),
  };
}

function swappedKeys<T>(record: Readonly<Record<string, T>>, change: (value: T) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [swapped(name), change(value)]));
}

function swapped(text: string): string {
  return text.replace(/[A-Za-z]/g, (letter) => (letter < 'a' ? letter.toLowerCase() : letter.toUpperCase()));
}
