/** The same tokens with other blanks, line breaks and comments between them. */
import { pick, type Random } from './random.ts';

/** Comments and strings whole, then words and numbers, then signs. */
const lexeme =
  /\/\/[^\n\r]*|"(?:[^"\\\n\r]|\\[^\n\r])*"?|\.\.|\*\*|==|!=|[0-9][0-9_]*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?:%|[A-Za-z]\w*)?|\w+|[^\s\w]/g;

/** The lexemes of a text, comments among them. */
export const lexemes = (text: string): string[] => text.match(lexeme) ?? [];

const gaps = [' ', '  ', '\n', '\n  ', '\n\n', '\n \n\n', '\t', '\r\n', ' \n\t'];

/** Rewrites what stands between the tokens of a text without comments; of a hundred gaps, `share` get a comment. */
export function withNoise(text: string, random: Random, share: number): string {
  let count = 0;
  const comment = (): string => {
    const slashes = pick(random, ['//', '// ', '/// ', '///', '////']);
    return `${pick(random, ['', ' ', '\n', '\n\n', '\n  '])}${slashes}c${count++}${pick(random, ['', ' ', '  "'])}\n`;
  };
  const all = lexemes(text);
  const parts = all.map((token, i) => {
    const tight = i > 0 && /[\w"*.%]$/.test(all[i - 1] ?? '') && /^[\w"*.%]/.test(token);
    let gap = !tight && random(2) === 0 ? '' : random(3) === 0 ? pick(random, gaps) : ' ';
    while (random(100) < share) gap += comment() + pick(random, ['', ' ', '\n']);
    return gap + token;
  });
  return `${parts.join('')}${random(100) < share ? comment() : ''}${pick(random, ['', '\n', '\n\n', ' '])}`;
}
