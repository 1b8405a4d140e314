/** `check`, `explain` and `show` as the command line runs them: what they print and how they end. */
import { lstatSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { command as check } from '../../runtime/cli/check.ts';
import { EXIT, UsageError, type Command } from '../../runtime/cli/command.ts';
import { command as diff } from '../../runtime/cli/diff.ts';
import { command as explain } from '../../runtime/cli/explain.ts';
import { command as show } from '../../runtime/cli/show.ts';
import { InputError } from '../../runtime/input-error.ts';

const t = suite('commands');
const specs = join(import.meta.dirname, '../../specs');

/** A spec with one mistake in it. */
const broken = join(mkdtempSync(join(tmpdir(), 'graft-')), 'broken.adapter');
writeFileSync(
  broken,
  `import "${join(specs, 'bases.adapter')}"\n\nadapter X on llama7b {\n  prompt p on layers[20..32] { length = 10 }\n}\n`,
);
t.after(() => rmSync(dirname(broken), { recursive: true }));

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command with the console caught. */
async function run(command: Command, ...argv: string[]): Promise<Outcome> {
  const { log, error } = console;
  const out: string[] = [];
  const err: string[] = [];
  console.log = (text: string) => out.push(text);
  console.error = (text: string) => err.push(text);
  try {
    const code = await command.run(argv);
    return { code, out: out.join('\n'), err: err.join('\n') };
  } finally {
    Object.assign(console, { log, error });
  }
}

async function failsToParse(command: Command, ...argv: string[]): Promise<void> {
  const failure = await run(command, ...argv).catch((e: unknown) => e);
  assert.instance(failure, UsageError);
}

t('check: no errors, errors, warnings only', async () => {
  const clean = await run(check, join(specs, 'lora.adapter'));
  assert.is(clean.code, EXIT.ok);
  assert.is(clean.out, 'no errors: 1 adapter checked');
  // What the specs of the library name is not part of the repository.
  assert.match(clean.err, /warning\[missing-file\]: .*llama-7b is not there: the weights of `llama7b`/);
  const wrong = await run(check, broken);
  assert.is(wrong.code, EXIT.failed);
  assert.match(wrong.err, /error\[A105\]: layer 32 does not exist/);
  const warned = await run(
    check,
    join(specs, 'llama-adapter-v2-multimodal.adapter'),
    '--set',
    'early=first 2',
  );
  assert.is(warned.code, EXIT.ok);
  assert.equal(
    [...warned.err.matchAll(/^\w+\[(\S+)\]/gm)]
      .map(([, code]) => code)
      .filter((code) => code !== 'missing-file'),
    ['A301'],
  );
});

t('check: one line of JSON for each diagnostic, counted from 0', async () => {
  const { out, code } = await run(check, '--format', 'json', broken);
  assert.is(code, EXIT.failed);
  const lines = out.split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
  const first = lines.find((d) => d['message'] === 'layer 32 does not exist');
  assert.equal(first?.['range'], { start: { line: 3, character: 21 }, end: { line: 3, character: 27 } });
  assert.is(first?.['help'], 'write `20..31`, or `last 12`');
});

t('check: a file that is no spec at all is not printed line by line', async () => {
  const path = join(dirname(broken), 'noise.adapter');
  writeFileSync(path, '#\n'.repeat(5000));
  const { code, err } = await run(check, path);
  assert.is(code, EXIT.failed);
  assert.is(err.match(/error\[A001\]/g)?.length, 100);
  assert.match(err, /\.\.\. and 4900 more\n\n5000 errors$/);
});

t('check: a file in another encoding is told to be saved as UTF-8', async () => {
  const path = join(dirname(broken), 'latin1.adapter');
  writeFileSync(path, Buffer.from('param caf\xe9 = 3\n', 'latin1'));
  const { code, err } = await run(check, path);
  assert.is(code, EXIT.failed);
  assert.match(err, /latin1\.adapter:1:10\n[^]*help: this is not UTF-8: save the file as UTF-8/);
});

t('check: usage mistakes', async () => {
  await failsToParse(check);
  await failsToParse(check, 'no-such-file.adapter');
  await failsToParse(check, join(specs, 'lora.adapter'), '--format', 'xml');
  await failsToParse(check, join(specs, 'lora.adapter'), '--set', 'rank');
  await failsToParse(check, join(specs, 'lora.adapter'), '--base', join(specs, 'bases.adapter:nothing'));
});

t('check --fix: says what it would do, does it, and reports the rest', async () => {
  const path = join(dirname(broken), 'fixable.adapter');
  const text = readFileSync(broken, 'utf8').replace('length = 10', 'lenght = 10');
  writeFileSync(path, text, { mode: 0o640 });
  const dry = await run(check, '--fix', '--dry-run', path);
  assert.is(dry.code, EXIT.failed);
  assert.match(dry.err, /would fix A105 at .*fixable\.adapter:4:22: layer 32 does not exist/);
  assert.match(dry.err, /- prompt p on layers\[20\.\.32\].*\n +\+ prompt p on layers\[20\.\.31\]/);
  assert.is(readFileSync(path, 'utf8'), text);
  const wet = await run(check, '--fix', path);
  assert.is(wet.code, EXIT.ok);
  assert.match(wet.err, /fixable\.adapter: fixed 2 mistakes/);
  assert.is(readFileSync(path, 'utf8'), text.replace('20..32', '20..31').replace('lenght', 'length'));
  assert.is(statSync(path).mode & 0o777, 0o640);
  assert.match((await run(check, '--fix', path)).err, /nothing to fix$/m);
});

t('check --fix: a link stays one, and what is no UTF-8 stays as it is', async () => {
  const [path, link] = [join(dirname(broken), 'real.adapter'), join(dirname(broken), 'link.adapter')];
  writeFileSync(path, 'param a = 1;\r\nparam b = 2\r\n');
  symlinkSync(path, link);
  assert.is((await run(check, '--fix', link)).code, EXIT.ok);
  assert.ok(lstatSync(link).isSymbolicLink());
  assert.is(readFileSync(path, 'utf8'), 'param a = 1\r\nparam b = 2\r\n');
  const latin = Buffer.from('param a = 1; // \xe9\n', 'latin1');
  writeFileSync(path, latin);
  const failure = await run(check, '--fix', path).catch((e: unknown) => e);
  assert.instance(failure, InputError);
  assert.equal(readFileSync(path), latin);
});

t('check --fix: usage mistakes', async () => {
  await failsToParse(check, '--dry-run', broken);
  await failsToParse(check, '--fix', '-');
  await failsToParse(check, '--fix', 'no-such-file.adapter');
});

t('explain: codes, kinds, the list', async () => {
  assert.match((await run(explain, 'a201')).out, /^A201: trained by two tasks/);
  assert.match((await run(explain, 'lora')).out, /rank = a whole number/);
  const list = (await run(explain)).out;
  assert.match(list, /A301/);
  assert.match(list, /prompt/);
  await failsToParse(explain, 'A999');
});

t('show: the map and the table', async () => {
  const { out } = await run(
    show,
    join(specs, 'llama-adapter-v2.adapter'),
    '--base',
    join(specs, 'bases.adapter:llama13b'),
  );
  assert.match(out, /^LlamaAdapterV2 on llama13b: 40 layers of width 5120, 13,015,864,320 parameters/);
  assert.match(out, /\n0\.\.8 +- +all linears +all linears +all norms\n/);
  assert.match(out, /\n9\.\.39 +10 tokens +all linears +all linears +all norms\n/);
  assert.match(out, /\nnorms +unfreeze +414,720 +0\.0032%/);
});

t('diff: words and a table, data, and mistakes', async () => {
  const spec = join(specs, 'llama-adapter-v2-multimodal.adapter');
  const { out, code } = await run(diff, `${spec}:V2`, `${spec}:V2Released`);
  assert.is(code, EXIT.ok);
  assert.match(out, /^V2 on llama7b -> V2Released on llama7b\n/);
  assert.match(out, /\n- part scales: dropped, a scale on every linear in layers 0\.\.31\n/);
  assert.match(out, /\n~ part image: changed\n {6}on layer 0 to layers 1\.\.31 \(31\)\n/);
  assert.match(out, /\npart +scales +1,359,872 +\. +-1,359,872\n/);
  const json = await run(diff, '--format', 'json', spec, spec, '--set-b', 'late=last 8');
  const data = JSON.parse(json.out) as { from: { adapter: string }; changes: { name: string }[] };
  assert.is(data.from.adapter, 'V2Late');
  assert.equal(
    data.changes.map((c) => c.name),
    ['words', 'image'],
  );
  assert.match((await run(diff, spec, spec)).out, /\n\nnothing changes$/);
  await failsToParse(diff, spec);
  await failsToParse(diff, spec, spec, '--format', 'yaml');
  assert.instance(await run(diff, spec, `${spec}:V3`).catch((e: unknown) => e), InputError);
});

t('show: as data', async () => {
  const { out } = await run(show, '--json', join(specs, 'llama-adapter-v1.adapter:LlamaAdapterV1'));
  const [model] = JSON.parse(out) as { counts: { trained: number } }[];
  assert.is(model?.counts.trained, 1_229_760);
  await failsToParse(show, join(specs, 'llama-adapter-v1.adapter:Other'));
});

t.run();
