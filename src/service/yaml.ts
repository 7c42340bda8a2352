import { Composer, Lexer, Parser } from 'yaml';

/** Aliases are what makes a short text long: a document has no use for many. */
const MAX_ALIASES = 20;

/** Tokens within each other: four times as many as the levels of a session document, since a level can be several. */
const MAX_STACK = 128;

/** Lexical tokens that are read at most, as keys are compared with each other. A long session document has a few thousand. */
const MAX_LEXEMES = 20_000;

/**
 * The value of a YAML text from outside. The parser of `yaml` keeps a stack of its own, but what then makes values of
 * its tokens calls itself at each level: at some depth the stack overflows, and at a worse one the process dies. So the
 * depth is looked at after each token.
 *
 * @throws {Error} for what is no single YAML document, or not one that a session document could be
 */
export function parseYaml(text: string): unknown {
  const parser = new Parser();
  const composer = new Composer();
  let count = 0;
  const documents = [...composer.compose(tokens(), true, text.length)];
  const [document] = documents;
  if (!document || documents.length > 1) throw new Error('There must be one document in the text.');
  const [error] = document.errors;
  if (error) throw new Error(error.message);
  return document.toJS({ maxAliasCount: MAX_ALIASES });

  function* tokens() {
    for (const lexeme of new Lexer().lex(text)) {
      yield* parser.next(lexeme);
      if (parser.stack.length > MAX_STACK) throw new Error('It is nested too deeply.');
      if (++count > MAX_LEXEMES) throw new Error('It has too many parts.');
    }
    yield* parser.end();
  }
}
