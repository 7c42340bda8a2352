import { evaluate, explain, type Policies, parsePolicy } from '../../src/policy/index.ts';
import {
  applyingStatements,
  type Documents,
  type PolicyDocument,
  secondOpinion,
} from '../../test/policy/second-evaluator.ts';
import { type PolicyCase, randomCase } from './random-case.ts';

/** Plays the case of a seed. @throws {Error} where the two evaluators disagree */
export function compareSeed(seed: number): 'Allow' | 'ImplicitDeny' | 'ExplicitDeny' {
  return compareCase(randomCase(seed), `seed ${seed}`);
}

/** As the simulations are played: what is counted are the requests that are allowed. */
export function playPolicies(seed: number): { trace: number; frames: number } {
  const effect = compareSeed(seed);
  return { trace: EFFECTS.indexOf(effect), frames: effect === 'Allow' ? 1 : 0 };
}

const EFFECTS = ['Allow', 'ImplicitDeny', 'ExplicitDeny'];

export function compareCase({ documents, request }: PolicyCase, title: string) {
  const policies = parseAll(documents);
  const expected = secondOpinion(documents, request);
  const decision = evaluate(policies, request);
  agree('decision', decision, expected);
  const explanation = explain(policies, request);
  agree('explanation', explanation.decision, expected);
  const matched = explanation.matched.map(({ place, level, policyIndex, statementIndex }) =>
    [place, level, policyIndex, `#${statementIndex}`].filter((part) => part !== undefined).join(' '),
  );
  agree(
    'matched statements',
    matched,
    applyingStatements(documents, request).map(({ place }) => place),
  );
  return decision.effect;

  function agree(what: string, ours: unknown, theirs: unknown): void {
    if (JSON.stringify(ours) === JSON.stringify(theirs)) return;
    const asked = { ...request, context: [...request.context], tags: [...(request.principal.tags ?? [])] };
    throw new Error(
      `${title}: the ${what} is ${JSON.stringify(ours)}, and by the second evaluator ${JSON.stringify(theirs)}\n` +
        `  ${JSON.stringify(documents)}\n  ${JSON.stringify(asked)}`,
    );
  }
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
