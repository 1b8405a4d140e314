/** The package alone in an empty folder: its commands, and its modules as docs/api.md uses them. */
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Outcome } from '../cli/processes.ts';
import { install, root, run } from './installed.ts';

const t = suite('installed package');
const base = join(root, 'examples/base');
let folder = '';

t.before(async () => {
  folder = await install();
  mkdirSync(join(folder, 'data'));
  for (const file of ['base.adapter', 'base.safetensors', 'tokenizer.json', 'instruct.adapter'])
    cpSync(join(base, file), join(folder, file));
  for (const file of readdirSync(join(base, 'data')).filter((name) => name.startsWith('instructions')))
    cpSync(join(base, 'data', file), join(folder, 'data', file));
});
t.after(() => rmSync(folder, { recursive: true, force: true }));

const graft = (...args: string[]): Promise<Outcome> =>
  run(join(folder, 'node_modules/.bin/graft'), args, folder);

async function succeeds(args: readonly string[], expected: RegExp = /(?:)/): Promise<void> {
  const { code, out, err } = await graft(...args);
  assert.is(code, 0, `graft ${args.join(' ')}: ${out}${err}`);
  assert.match(`${out}${err}`, expected);
}

t('holds no sources, and no tests', () => {
  const files = readdirSync(join(folder, 'node_modules/graft-adapters'), {
    recursive: true,
    encoding: 'utf8',
  });
  assert.equal(
    files.filter((file) => /(?<!\.d)\.ts$/.test(file) || /^(test|examples)\b/.test(file)),
    [],
  );
  for (const file of ['README.md', 'LICENSE', 'CHANGELOG.md', 'docs/language.md', 'specs/bases.adapter'])
    assert.ok(files.includes(file), file);
});

t('npx finds the command', async () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const { code, out } = await run('npx', ['--no', '--', 'graft', '--version'], folder);
  assert.equal([code, out.trim()], [0, `graft ${version}`]);
});

t('checks, shows, explains and formats', async () => {
  await succeeds(['check', 'instruct.adapter']);
  await succeeds(['check', 'node_modules/graft-adapters/specs/llama-adapter-v2.adapter']);
  await succeeds(['show', 'instruct.adapter'], /words +prompt/);
  await succeeds(['explain', 'prompt'], /prompt/);
  await succeeds(['fmt', '--check', 'instruct.adapter']);
  writeFileSync(join(folder, 'wrong.adapter'), 'adapter A on nothing { }\n');
  const wrong = await graft('check', 'wrong.adapter');
  assert.is(wrong.code, 1);
  assert.match(wrong.err, /nothing/);
});

t('writes a first spec on the base beside it, trains it and answers', async () => {
  await succeeds(
    ['init', '--base', 'base.adapter:english1m', '--method', 'lora', '--yes'],
    /wrote my\.adapter/,
  );
  await succeeds(['check', 'my.adapter']);
  await succeeds(['train', 'instruct.adapter', '--steps', '2', '--out', 'run'], /2 steps, loss/);
  assert.ok(existsSync(join(folder, 'run/adapter.safetensors')));
  const ask = ['--adapter', 'run/adapter.safetensors', '--ask', 'plural of lantern', '--max-tokens', '4'];
  const { code, out, err } = await graft('generate', 'instruct.adapter', ...ask);
  assert.is(code, 0, err);
  assert.ok(out.trim() !== '');
});

/** The programs of docs/api.md. */
const programs = [...readFileSync(join(root, 'docs/api.md'), 'utf8').matchAll(/^```js\n(.*?)^```$/gms)].map(
  ([, code]) => code ?? '',
);
const printed = [/\d programs, \d+ kernels/, /step 3: loss \d+\.\d+\n/];

t('docs/api.md: its programs run, and their types are right', async () => {
  assert.is(programs.length, printed.length);
  for (const [i, code] of programs.entries()) {
    writeFileSync(join(folder, `program${i}.js`), code);
    writeFileSync(join(folder, `program${i}.ts`), code);
    const { code: exit, out, err } = await run(process.execPath, [`program${i}.js`], folder);
    assert.is(exit, 0, err);
    assert.match(out, printed[i] ?? /$^/, `program ${i}: ${out}`);
  }
  writeFileSync(
    join(folder, 'plugin.ts'),
    "import * as plugin from 'graft-adapters/prettier';\nexport const names: string[] = plugin.languages.map(({ name }) => name);\n" +
      "import { check } from 'graft-adapters';\nexport const no = check;\n",
  );
  const typeRoots = [join(root, 'node_modules/@types')];
  const options = {
    module: 'nodenext',
    target: 'es2023',
    strict: true,
    noEmit: true,
    types: ['node'],
    typeRoots,
  };
  const files = ['plugin.ts', ...programs.map((_, i) => `program${i}.ts`)];
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files }));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { out } = await run(process.execPath, [tsc, '-p', folder], folder);
  // The one mistake that is in there, so that it is known that types were looked at.
  assert.match(
    out,
    /^plugin\.ts\(3,10\): error TS2724: [^\n]*no exported member named 'check'[^\n]*\n?$/,
    out,
  );
});

t('a page bundles the runtime without anything of Node', async () => {
  const contents = "export { openDevice, openModel, generate } from 'graft-adapters/runtime';";
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: folder },
    ...{ bundle: true, write: false, format: 'esm', platform: 'browser', logLevel: 'silent' },
  });
  assert.match(outputFiles[0]?.text ?? '', /requestAdapter/);
});

t.run();
