/** A command line in words, as it is run without a shell. */

/**
 * Words are parted by blanks; single or double quotes hold one together. There are no escapes, variables or patterns.
 * @returns null when a quote is not closed
 */
export function splitWords(line: string): string[] | null {
  const words: string[] = [];
  let word: string | null = null;
  let quote = '';
  for (const c of line) {
    if (quote !== '') {
      if (c === quote) quote = '';
      else word += c;
    } else if (c === '"' || c === "'") {
      quote = c;
      word ??= '';
    } else if (/\s/.test(c)) {
      if (word !== null) words.push(word);
      word = null;
    } else word = (word ?? '') + c;
  }
  if (quote !== '') return null;
  return word === null ? words : [...words, word];
}
