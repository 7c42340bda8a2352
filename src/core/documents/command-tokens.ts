import { isRecord, own } from './json-value.ts';
import { PLATFORMS } from './parse-properties.ts';
import type { SessionDocument } from './session-document.ts';
import { type Token, tokensIn } from './substitute.ts';

/** Where a document's parameters become part of a command, on any platform. */
export function commandTokens({ properties }: SessionDocument): readonly Token[] {
  if (!isRecord(properties)) return [];
  return PLATFORMS.flatMap((platform) => {
    const shell = own(properties, platform);
    const commands = isRecord(shell) ? own(shell, 'commands') : undefined;
    return typeof commands === 'string' ? tokensIn(commands) : [];
  });
}

/**
 * What is allowed in a document and hardly meant, for people: parameters whose value can be any command, since values
 * are put in unquoted (CONTROL-PLANE.md section 3.4, rule b).
 */
export function documentWarnings(document: SessionDocument): readonly string[] {
  const names = new Set(commandTokens(document).map(({ name }) => name));
  return [...names]
    .filter((name) => isOpen(document, name))
    .map(
      (name) =>
        `The parameter ${name} goes into a command and has neither allowedPattern nor allowedValues: whoever may start the session can run anything.`,
    );
}

function isOpen({ parameters = {} }: SessionDocument, name: string): boolean {
  const { type, allowedPattern, allowedValues } = parameters[name]!;
  return !/^(?:integer|boolean)$/i.test(type) && allowedPattern === undefined && allowedValues === undefined;
}
