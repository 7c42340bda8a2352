/**
 * Lower case of ASCII letters alone, as actions and key names are compared (POLICY.md sections 2 and 4). What only
 * looks like a letter, such as the Kelvin sign, is not that letter.
 */
export function foldAscii(text: string): string {
  let upper = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0x7f) return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
    if (code >= 0x41 && code <= 0x5a) upper = true;
  }
  return upper ? text.toLowerCase() : text;
}

/** {@link foldAscii} of names that come again and again: actions, and keys of contexts. */
export function foldName(name: string): string {
  let folded = foldedNames.get(name);
  if (folded === undefined) {
    folded = foldAscii(name);
    // Whatever is asked for, memory stays bounded: then it starts afresh.
    if (foldedNames.size >= MAX_NAMES) foldedNames.clear();
    if (name.length <= MAX_NAME_LENGTH) foldedNames.set(name, folded);
  }
  return folded;
}

const foldedNames = new Map<string, string>();
const MAX_NAMES = 1_024;
const MAX_NAME_LENGTH = 256;

/** Simple case folding, of StringEqualsIgnoreCase: character by character, so that no text changes its length. */
export function foldSimply(text: string): string {
  let folded = '';
  for (const character of text)
    folded += DOTLESS_I === character ? character : single(single(character, UP), DOWN);
  return folded;
}

function single(character: string, change: (text: string) => string): string {
  const changed = change(character);
  return [...changed].length === 1 ? changed : character;
}

const UP = (text: string) => text.toUpperCase();
const DOWN = (text: string) => text.toLowerCase();
/** Its upper case is the I of every other language, from which Unicode's folding keeps it apart. */
const DOTLESS_I = 'ı';
