/** Parts of the documentation that tests write: between `<!-- generated: NAME -->` and `<!-- end -->`. */
import { readFileSync, writeFileSync } from 'node:fs';
import * as assert from 'uvu/assert';

/** `number` inside of a table's cell must not end it. */
export const cell = (s: string): string => s.replaceAll('|', '\\|');

/** A table's rows, its head first. */
export const tableOf = (rows: readonly (readonly string[])[]): string => {
  const [head = [], ...rest] = rows.map((row) => `| ${row.join(' | ')} |`);
  return [head, `|${'---|'.repeat(rows[0]?.length ?? 0)}`, ...rest].join('\n');
};

/** The formatter aligns the columns of tables; that is no difference. */
const withoutPadding = (markdown: string): string =>
  markdown
    .replace(/ +/g, ' ')
    .replace(/ ?\| ?/g, '|')
    .replace(/-{3,}/g, '---');

/** Fails when a generated part of a page is stale; `UPDATE=1` writes the page instead. */
export function checkGenerated(path: string, generated: Readonly<Record<string, string>>): void {
  const text = readFileSync(path, 'utf8');
  const written = text.replace(
    /(<!-- generated: (\w+) -->\n)[^]*?(<!-- end -->)/g,
    (_, open: string, name: string, close: string) => {
      assert.ok(generated[name], `no table ${name}`);
      return `${open}\n${generated[name]}\n\n${close}`;
    },
  );
  for (const name of Object.keys(generated)) assert.match(text, `<!-- generated: ${name} -->`);
  if (process.env['UPDATE'] === '1') writeFileSync(path, written);
  else assert.fixture(withoutPadding(text), withoutPadding(written));
}
