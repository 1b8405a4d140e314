/** docs/commands.md: what `graft NAME --help` prints, for every command (`UPDATE=1` writes it). */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Command } from '../../runtime/cli/command.ts';
import { expectPage, root } from '../check/reference.ts';

const t = suite('commands page');
const folder = join(root, 'runtime/cli');

/** In the order of `graft --help`. */
async function commands(): Promise<Command[]> {
  const main = readFileSync(join(folder, 'main.ts'), 'utf8');
  const names = [...main.matchAll(/^  (\w+): {\n? *summary/gm)].map(([, name]) => name ?? '');
  const found: Command[] = [];
  for (const name of names) {
    const module = (await import(join(folder, `${name}.ts`))) as { readonly command: Command };
    found.push(module.command);
  }
  return found;
}

t('docs/commands.md has the help of every command', async () => {
  const all = await commands();
  const files = readdirSync(folder).filter((file) => all.some(({ name }) => file === `${name}.ts`));
  assert.is(files.length, all.length);
  assert.ok(all.length > 10);
  await expectPage(
    'docs/commands.md',
    [
      '# Commands',
      '<!-- Generated from runtime/cli: UPDATE=1 npm test -- cli/commands-page -->',
      '`npm run graft -- COMMAND` in this folder. Exit codes: 0 all is well, 1 the input has errors or what was asked for ' +
        'could not be done, 2 the command line makes no sense, 3 a bug of ours. `--version` prints the version, `--driver NAME` chooses a Vulkan driver ' +
        'for any of them: see [devices.md](devices.md).',
      ...all.map(({ name, usage }) => `## ${name}\n\n\`\`\`text\n${usage.trim()}\n\`\`\``),
    ].join('\n\n'),
  );
});

t.run();
