/** Other people's text made fit for a prompt and a terminal. */

/** What terminals take as commands: colours, cursor moves. The rest of the sequence is ordinary text, so it goes first. */
const SEQUENCES = new RegExp(`${String.fromCharCode(27)}\\[[0-?]*[ -/]*[@-~]`, 'g');

/** Invisible characters, among them those that turn the direction of text; joiners hold letters and emoji together. */
const INVISIBLE = /(?![\u200c\u200d])\p{Cf}/gu;

/**
 * Takes control characters and invisible ones out and makes every run of blanks and line ends one blank, so that a text
 * cannot begin a line of the prompt or move the cursor.
 */
export const cleanText = (text: string): string =>
  text
    .replace(SEQUENCES, '')
    .replace(INVISIBLE, '')
    .replace(/\p{Cs}/gu, '\ufffd')
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim();

/** The first `length` characters of a clean text. */
export function cutText(text: string, length: number): string {
  // A character takes one or two places of a string.
  const characters = Array.from(text.slice(0, 2 * length + 2));
  return characters.length <= length ? text : characters.slice(0, length).join('').trimEnd();
}

/** The last words of what a program complained about, for a message of one line: its error, or else its last line. */
export function lastWords(complaint: string): string {
  const lines = complaint
    .split('\n')
    .map(cleanText)
    .filter((line) => line !== '');
  const words = lines.findLast((line) => /^\w*(?:Error|Exception)\b/.test(line)) ?? lines.at(-1) ?? '';
  return cutText(words, 200);
}
