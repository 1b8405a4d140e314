/** The tutorial: every step checks clean beside those before it, and its commands run. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSpec, type Checked } from '../../compiler/check/check.ts';
import { countModel } from '../../compiler/describe/counts.ts';
import { lowerModel } from '../../compiler/lower/lower.ts';
import { trialsOf } from '../../compiler/model/sweep.ts';
import { renderDiagnostic } from '../../grammar/render.ts';
import { command as check } from '../../runtime/cli/check.ts';
import { EXIT, type Command } from '../../runtime/cli/command.ts';
import { command as diff } from '../../runtime/cli/diff.ts';
import { nodeSpecs } from '../../runtime/hosts/node-specs.ts';
import { command as show } from '../../runtime/cli/show.ts';
import { root } from './reference.ts';

const t = suite('tutorial');
const text = readFileSync(join(root, 'docs/tutorial.md'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'graft tutorial '));
t.after(() => rmSync(folder, { recursive: true, force: true }));
symlinkSync(join(root, 'examples'), join(folder, 'examples'));

/** Specs with the names that stand above them. */
const steps = [...text.matchAll(/`(\w+\.adapter)`:\n\n```adapter\n([^]*?)```/g)].map(
  ([, name = '', spec = '']) => ({
    name,
    spec,
  }),
);
for (const { name, spec } of steps) writeFileSync(join(folder, name), spec);

function checked(name: string): Checked {
  const result = checkSpec(join(folder, name), nodeSpecs);
  assert.equal(
    result.diagnostics.map((d) => renderDiagnostic(d, result.sources)),
    [],
  );
  return result;
}

t('has every spec that is written in it', () => {
  assert.equal(
    steps.map((s) => s.name),
    ['first.adapter', 'second.adapter', 'third.adapter', 'fourth.adapter'],
  );
  assert.is(text.match(/```adapter/g)?.length, steps.length);
});

for (const { name } of steps) t(`${name} checks clean`, () => assert.ok(checked(name).found));

t('its figures', () => {
  const trained = (name: string): number => countModel(lowerModel(checked(name))).trained;
  const figures = [trained('first.adapter'), trained('second.adapter')];
  assert.equal(figures, [5136, 22_736]);
  for (const n of figures) assert.match(text, `${n.toLocaleString('en-US')} parameters`);
  const sweep = checked('fourth.adapter').sweeps['places'];
  assert.is(sweep && trialsOf(sweep).length, 12);
});

t('the mistakes it proposes are found', () => {
  const wrong = (name: string, ...changes: readonly [string, string][]): string[] => {
    const path = join(folder, `wrong-${name}`);
    const before = readFileSync(join(folder, name), 'utf8');
    writeFileSync(
      path,
      changes.reduce((s, [from, to]) => s.replace(from, to), before),
    );
    return checkSpec(path, nodeSpecs).diagnostics.map((d) => d.code);
  };
  assert.equal(wrong('first.adapter', ['length', 'lenght'], ['layers[late]', 'layers[last 40]']), [
    'A105',
    'A117',
  ]);
  assert.ok(
    wrong('second.adapter', ['override instruct trains writing', '']).every((code) => code === 'A302'),
  );
  assert.equal(
    [...new Set(wrong('third.adapter', ['trains seeing {', 'trains seeing + writing {']))],
    ['A201'],
  );
  const met = checkSpec(join(folder, 'third.adapter'), nodeSpecs, { params: { early: 'first 3' } });
  assert.equal(
    met.diagnostics.map((d) => [d.code, d.severity]),
    [['A301', 'warning']],
  );
});

/** Arguments of a line, quotes taken off; two steps of training are enough to see that it works. */
const argumentsOf = (line: string): string[] =>
  [...line.matchAll(/(\S*?)"([^"]*)"|(\S+)/g)].map(([, before = '', quoted, word]) =>
    quoted === undefined ? (word ?? '') : before + quoted,
  );

/** Those that need no device run in this process. */
const here: Readonly<Record<string, Command>> = { check, show, diff };

async function runHere(command: Command, argv: readonly string[]): Promise<string> {
  const { log, error } = console;
  const before = process.cwd();
  const said: string[] = [];
  console.log = (line: string) => said.push(line);
  console.error = (line: string) => said.push(line);
  process.chdir(folder);
  try {
    assert.is(await command.run(argv), EXIT.ok, said.join('\n'));
    return said.join('\n');
  } finally {
    process.chdir(before);
    Object.assign(console, { log, error });
  }
}

async function runApart(argv: readonly string[]): Promise<string> {
  const main = ['--import', import.meta.resolve('tsx'), join(root, 'runtime/cli/main.ts')];
  const options = { cwd: folder, maxBuffer: 1 << 26 };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [...main, ...argv], options);
  return stdout + stderr;
}

for (const [, line = ''] of text.matchAll(/^npm run graft -- (.+)$/gm))
  t(line, async () => {
    const [name = '', ...argv] = argumentsOf(line.replace('--steps 50', '--steps 2'));
    const command = here[name];
    const said = command === undefined ? await runApart([name, ...argv]) : await runHere(command, argv);
    // A clean spec leaves `check` nothing to say.
    assert.ok(name === 'check' || said.length > 0);
  });

t.run();
