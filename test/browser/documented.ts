/** The code blocks of docs/browser.md, which the test serves as they are. */
import { readFileSync } from 'node:fs';
import { invariant } from '../../grammar/invariant.ts';

const text = readFileSync(new URL('../../docs/browser.md', import.meta.url), 'utf8');

/** The only block of a language. */
export function documented(language: 'js' | 'mjs' | 'html'): string {
  const blocks = [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(
    ([, code]) => code ?? '',
  );
  invariant(
    blocks.length === 1,
    `docs/browser.md has ${blocks.length} blocks of ${language}, the test serves one`,
  );
  return blocks[0] ?? '';
}
