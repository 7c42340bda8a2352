import {
  type Decision,
  evaluate,
  explain,
  type MatchedStatement,
  type Policies,
  parsePolicy,
} from '../../src/policy/index.ts';
import {
  applyingStatements,
  type Documents,
  type PolicyDocument,
  secondOpinion,
} from '../../test/policy/second-evaluator.ts';
import { randomCase } from './random-case.ts';

/**
 * Has both evaluators decide the requests of a seed, and the first explain itself.
 *
 * @returns the effects
 * @throws {Error} where the two disagree
 */
export function compareSeed(seed: number): Decision['effect'][] {
  const { documents, requests } = randomCase(seed);
  const policies = parseAll(documents);
  return requests.map((request, index) => {
    const applying = applyingStatements(documents, request);
    const expected = secondOpinion(documents, request, applying);
    const agree = (what: string, ours: unknown, theirs: unknown) => {
      if (JSON.stringify(ours) === JSON.stringify(theirs)) return;
      const asked = { ...request, context: [...request.context], tags: [...(request.principal.tags ?? [])] };
      throw new Error(
        `seed ${seed}: the ${what} is ${JSON.stringify(ours)}, and by the second evaluator ` +
          `${JSON.stringify(theirs)}\n  ${JSON.stringify(documents)}\n  ${JSON.stringify(asked)}`,
      );
    };
    agree('decision', evaluate(policies, request), expected);
    if (index === 0) {
      const { decision, matched } = explain(policies, request);
      agree('explained decision', decision, expected);
      agree(
        'list of matched statements',
        matched.map(placeOf),
        applying.map(({ place }) => place),
      );
    }
    return expected.effect;
  });
}

/** As the simulations are played: what is counted are the requests that are allowed. */
export function playPolicies(seed: number): { trace: number; frames: number } {
  const effects = compareSeed(seed);
  return {
    trace: effects.reduce((trace, effect) => trace * EFFECTS.length + EFFECTS.indexOf(effect), 0),
    frames: effects.filter((effect) => effect === 'Allow').length,
  };
}

const EFFECTS = ['Allow', 'ImplicitDeny', 'ExplicitDeny'];

function placeOf({ place, level, policyIndex, statementIndex }: MatchedStatement): string {
  const parts = [place, level, policyIndex, `#${statementIndex}`];
  return parts.filter((part) => part !== undefined).join(' ');
}

export function parseAll({ identity, resource, boundary, session, scp, rcp, vpce }: Documents): Policies {
  const all = <K extends Parameters<typeof parsePolicy>[0]>(kind: K, list: readonly PolicyDocument[]) =>
    list.map((document, index) =>
      // Every other one from text.
      parsePolicy(kind, index % 2 === 0 ? document : JSON.stringify(document), { name: `${kind} ${index}` }),
    );
  return {
    ...(identity && { identity: all('identity', identity) }),
    ...(resource && { resource: all('resource', resource) }),
    ...(boundary && { boundary: parsePolicy('boundary', boundary) }),
    ...(session && { session: all('session', session) }),
    ...(scp && { scp: scp.map((level) => all('scp', level)) }),
    ...(rcp && { rcp: rcp.map((level) => all('rcp', level)) }),
    ...(vpce && { vpce: parsePolicy('vpce', vpce) }),
  };
}
