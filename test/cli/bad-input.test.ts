/** What users get wrong, through the command line: an exit code of 1 or 2 and a message that says what and where. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { graft, graftEach, type Outcome } from './processes.ts';
import { baseText, makeProject, spec } from './tiny-project.ts';
import { withDevice } from '../compiler/sessions.ts';
import { specPath } from '../compiler/subjects.ts';

const t = suite('bad input');

let folder = '';
t.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'graft-bad-'));
  await makeProject(folder);
});
t.after(() => rmSync(folder, { recursive: true, force: true }));

interface Case {
  readonly name: string;
  readonly line: readonly string[];
  readonly code: number;
  /** All of them are in what is printed as errors. */
  readonly says: readonly RegExp[];
  /** Files to write first; a function makes one from the weights of the base. */
  readonly files?: Readonly<Record<string, string | ((weights: Uint8Array) => Uint8Array)>>;
}

function write(files: Case['files']): void {
  for (const [name, text] of Object.entries(files ?? {}))
    writeFileSync(
      join(folder, name),
      typeof text === 'string' ? text : text(readFileSync(join(folder, 'base.safetensors'))),
    );
}

function checkOutcome({ name, code, says }: Case, { code: actual, out, err }: Outcome): void {
  assert.is(actual, code, `${name}: exit code ${actual}\n${err}`);
  assert.not.match(err, /internal error|bug of graft|\n {4}at /, `${name}: no trace`);
  for (const words of says) assert.match(err, words, `${name}: ${err}`);
  if (code !== 0) assert.not.match(out, /steps/, `${name}: nothing ran`);
}

/** Cases by the name of their test; all of them share one process, since starting one is slow. */
const groups = new Map<string, readonly Case[]>();
let outcomes: Promise<ReadonlyMap<Case, Outcome>> | null = null;

async function runAll(): Promise<ReadonlyMap<Case, Outcome>> {
  const all = [...groups.values()].flat();
  for (const one of all) write(one.files);
  const ran = await graftEach(
    all.map(({ line }) => line),
    folder,
  );
  return new Map(all.map((one, i) => [one, ran[i] as Outcome]));
}

function check(name: string, cases: readonly Case[]): void {
  groups.set(name, cases);
  t(name, () =>
    withDevice(async () => {
      const ran = await (outcomes ??= runAll());
      for (const one of cases) checkOutcome(one, ran.get(one) as Outcome);
    }),
  );
}

const train = (file: string, ...rest: string[]): string[] => ['train', file, '--out', `run-${file}`, ...rest];
const changed = (...changes: readonly [string, string][]): string =>
  changes.reduce((text, [from, to]) => text.replace(from, to), spec);
/** A spec on a base whose declaration is changed. */
const onBase = (name: string, ...changes: readonly [string, string][]) => ({
  [`${name}.base.adapter`]: changes.reduce((text, [from, to]) => text.replace(from, to), baseText),
  [`${name}.adapter`]: spec.replace('base.adapter', `${name}.base.adapter`),
});

check('command lines that make no sense are answered with the usage', [
  { name: 'no command', line: [], code: 2, says: [] },
  {
    name: 'unknown command',
    line: ['trai', 'spec.adapter'],
    code: 2,
    says: [/no command 'trai'; did you mean 'train'\?/],
  },
  {
    name: 'unknown option',
    line: ['train', 'spec.adapter', '--epoch', '3'],
    code: 2,
    says: [/--epoch/, /usage: graft train/],
  },
  { name: 'no spec', line: ['train'], code: 2, says: [/give one spec/] },
  { name: 'two specs', line: ['build', 'spec.adapter', 'spec.adapter'], code: 2, says: [/give one spec/] },
  {
    name: 'steps',
    line: train('spec.adapter', '--steps', 'many'),
    code: 2,
    says: [/--steps takes a whole number from 1, not `many`/],
  },
  { name: 'no steps', line: train('spec.adapter', '--steps', '0'), code: 2, says: [/--steps/] },
  { name: 'empty steps', line: train('spec.adapter', '--steps', ''), code: 2, says: [/--steps/] },
  {
    name: 'no checkpoints',
    line: train('spec.adapter', '--checkpoint-every', '0'),
    code: 2,
    says: [/--checkpoint-every/],
  },
  { name: 'seed', line: train('spec.adapter', '--seed', '1.5'), code: 2, says: [/--seed/] },
  {
    name: 'set without a value',
    line: train('spec.adapter', '--set', 'length'),
    code: 2,
    says: [/--set takes NAME=VALUE/],
  },
  {
    name: 'stage',
    line: ['build', 'spec.adapter', '--emit', 'ast2'],
    code: 2,
    says: [/--emit takes one of/],
  },
  {
    name: 'profile',
    line: ['build', 'spec.adapter', '--profile', 'software:7'],
    code: 2,
    says: [/software:7/],
  },
  {
    name: 'batch',
    line: ['build', 'spec.adapter', '--profile', 'gpu', '--batch', '0'],
    code: 2,
    says: [/--batch/],
  },
  {
    name: 'tokens',
    line: ['build', 'spec.adapter', '--profile', 'gpu', '--tokens', 'x'],
    code: 2,
    says: [/--tokens takes a whole number from 1/],
  },
  { name: 'nothing to answer', line: ['generate', 'spec.adapter'], code: 2, says: [/--ask/, /--prompt/] },
  {
    name: 'max-tokens',
    line: ['generate', 'spec.adapter', '--prompt', 'a', '--max-tokens', '-1'],
    code: 2,
    says: [/--max-tokens/],
  },
]);

check('mistakes in a spec are all reported, with their places', [
  {
    name: 'several mistakes',
    files: {
      'broken.adapter': changed(
        ['layers[last 1]', 'layers[last 7]'],
        ['{wq, wv}', '{wq, wz}'],
        ['trains low', 'trains lwo'],
        ['batch = 2', 'batch = two'],
      ),
    },
    line: train('broken.adapter'),
    code: 1,
    says: [
      /broken\.adapter:6/,
      /last 7/,
      /broken\.adapter:7/,
      /wz/,
      /broken\.adapter:9/,
      /`lwo`/,
      /did you mean `low`/,
      /broken\.adapter:17/,
      /has 4 errors/,
    ],
  },
  { name: 'build says the same', line: ['build', 'broken.adapter'], code: 1, says: [/has 4 errors/] },
  {
    name: 'a kind',
    files: { 'kind.adapter': changed(['lora   low', 'lara   low']) },
    line: train('kind.adapter'),
    code: 1,
    says: [/lara/, /lora/],
  },
  {
    name: 'syntax',
    files: { 'syntax.adapter': `${spec}\nadapter {` },
    line: train('syntax.adapter'),
    code: 1,
    says: [/syntax\.adapter:20/],
  },
  { name: 'no such spec', line: train('nowhere.adapter'), code: 1, says: [/cannot read nowhere\.adapter/] },
  {
    name: 'no such adapter',
    line: ['train', 'spec.adapter:Pairs', '--out', 'x'],
    code: 1,
    says: [/no adapter `Pairs`/, /did you mean `Pair`/],
  },
  {
    name: 'no such recipe',
    line: train('spec.adapter', '--recipe', 'shorts'),
    code: 1,
    says: [/no recipe `shorts`/, /`short`/],
  },
  {
    name: 'unknown param',
    line: train('spec.adapter', '--set', 'lenght=4'),
    code: 1,
    says: [/lenght/, /length/],
  },
  {
    name: 'a param of another type',
    line: train('spec.adapter', '--set', 'length=-4'),
    code: 1,
    says: [/-4/],
  },
]);

check('weights and tokenizers that are not those of the base', [
  {
    name: 'another size',
    files: onBase('size', ['ffn = 20', 'ffn = 24']),
    line: train('size.adapter'),
    code: 1,
    says: [
      /base\.safetensors does not hold the base `small`/,
      /`layers\.0\.feed_forward\.w1\.weight` is \[20, 16\], the base `small` needs \[24, 16\]/,
    ],
  },
  {
    name: 'more layers',
    files: onBase('layers', ['layers = 2', 'layers = 3']),
    line: train('layers.adapter'),
    code: 1,
    says: [/missing: `layers\.2\.attention\.wq\.weight` \[16, 16\]/],
  },
  {
    name: 'fewer layers',
    files: onBase('fewer', ['layers = 2', 'layers = 1']),
    line: train('fewer.adapter'),
    code: 1,
    says: [/it has 2 layers, the base `small` declares 1/],
  },
  {
    name: 'a truncated file',
    files: {
      ...onBase('cut', ['base.safetensors', 'cut.safetensors']),
      'cut.safetensors': (whole: Uint8Array) => whole.subarray(0, whole.length - 100),
    },
    line: train('cut.adapter'),
    code: 1,
    says: [/cut\.safetensors/],
  },
  {
    name: 'a truncated header',
    files: {
      ...onBase('head', ['base.safetensors', 'head.safetensors']),
      'head.safetensors': (whole: Uint8Array) => whole.subarray(0, 50),
    },
    line: train('head.adapter'),
    code: 1,
    says: [/head\.safetensors/],
  },
  {
    name: 'not weights at all',
    files: {
      ...onBase('text', ['base.safetensors', 'text.safetensors']),
      'text.safetensors': 'hello, I am a text',
    },
    line: train('text.adapter'),
    code: 1,
    says: [/text\.safetensors/],
  },
  {
    name: 'no weights',
    files: onBase('none', ['base.safetensors', 'none.safetensors']),
    line: train('none.adapter'),
    code: 1,
    says: [/cannot read .*none\.safetensors/],
  },
  {
    name: 'a pickle',
    files: { ...onBase('pickle', ['base.safetensors', 'pickle.pth']), 'pickle.pth': 'x' },
    line: train('pickle.adapter'),
    code: 1,
    says: [/pickle/, /safetensors/],
  },
  {
    name: 'no tokenizer',
    files: onBase('token', ['tokenizer.bin', 'nothing.bin']),
    line: train('token.adapter'),
    code: 1,
    says: [/cannot read .*nothing\.bin/],
  },
  {
    name: 'a tokenizer with more tokens',
    files: onBase('vocab', ['vocab = 264', 'vocab = 260']),
    line: train('vocab.adapter'),
    code: 1,
    says: [/tokenizer\.bin has 264 tokens, the base `small` 260/],
  },
  {
    name: 'numbers of another adapter',
    files: { 'other.safetensors': (whole: Uint8Array) => whole },
    line: ['generate', 'spec.adapter', '--prompt', 'a', '--adapter', 'other.safetensors'],
    code: 1,
    says: [/other\.safetensors holds nothing of the adapter `Pair`/],
  },
  {
    name: 'a prompt past the context',
    line: ['generate', 'spec.adapter', '--prompt', 'abc'.repeat(40)],
    code: 1,
    says: [/has 12\d tokens, the context of `small` 48/],
  },
  {
    name: 'a task there is not',
    line: ['generate', 'spec.adapter', '--ask', 'a', '--task', 'three'],
    code: 1,
    says: [/no task `three`/],
  },
]);

const good = '{"instruction": "ab", "output": "c"}\n';
const withData = (name: string, text: string): NonNullable<Case['files']> => ({
  [`${name}.jsonl`]: text,
  [`${name}.adapter`]: changed(['some.jsonl', `${name}.jsonl`]),
});

check('data that cannot be trained on', [
  {
    name: 'no such file',
    files: { 'gone.adapter': changed(['some.jsonl', 'gone.jsonl']) },
    line: train('gone.adapter'),
    code: 1,
    says: [/cannot read .*gone\.jsonl/],
  },
  {
    name: 'a malformed line',
    files: withData('json', `${good}${good}{"instruction": "ab", "output" "c"}\n${good}`),
    line: train('json.adapter'),
    code: 1,
    says: [/json\.jsonl:3:\d+: not valid JSON/],
  },
  {
    name: 'a missing field',
    files: withData('field', `${good}{"instruction": "ab"}\n`),
    line: train('field.adapter'),
    code: 1,
    says: [/field\.jsonl:2: no field `output`/],
  },
  {
    name: 'an empty file',
    files: withData('empty', ''),
    line: train('empty.adapter'),
    code: 1,
    says: [/empty\.jsonl is empty/],
  },
  {
    name: 'fewer examples than a batch',
    files: withData('few', good),
    line: train('few.adapter'),
    code: 1,
    says: [/`some` has 1 examples, one batch takes 2/],
  },
  {
    name: 'prompts that fill the context',
    files: withData('long', `{"instruction": "${'ab'.repeat(60)}", "output": "c"}\n`.repeat(3)),
    line: train('long.adapter'),
    code: 1,
    says: [/nothing to learn/, /context of 48/],
  },
  {
    name: 'ids out of range',
    files: {
      'ids.jsonl': '[1, 2, 3]\n[4, 264, 5]\n',
      'ids.adapter': spec
        .replace('instructions("some.jsonl")', 'tokens("ids.jsonl")')
        .replaceAll('{ template = "{instruction}={output}" }', ''),
    },
    line: train('ids.adapter'),
    code: 1,
    says: [/ids\.jsonl:2: token id 264 at position 1, but the base has 264 tokens/],
  },
]);

check('an example longer than the context is cut, and said to be', [
  {
    name: 'a long output',
    files: {
      'cut.jsonl': `{"instruction": "ab", "output": "${'cb'.repeat(60)}"}\n`.repeat(4),
      'longer.adapter': changed(['some.jsonl', 'cut.jsonl'], ['steps = 12', 'steps = 2']),
    },
    line: train('longer.adapter'),
    code: 0,
    says: [/one: 4 examples, \d+ labels, 48 tokens at most, 4 cut/],
  },
]);

const sevenBillion = `base small {
  layers = 32  dim = 4096  heads = 32  ffn = 11008  vocab = 32000  context = 2048
  norm_eps = 1e-6  weights = "no-such-file"  tokenizer = "tokenizer.bin"
}`;
const figures = [
  /does not fit on this device: \d{5,}\.\d MiB in all/,
  /buffer `weights` needs 257\d\d\.\d MiB; this device allows [\d.]+ MiB a buffer/,
];
// The weights are not there: whoever looked for them first would say so instead.
check('what does not fit on the device is said before anything is read or allocated', [
  {
    name: 'building',
    line: ['build', specPath('llama-adapter-v1.adapter'), '--batch', '32', '--out', 'seven'],
    code: 1,
    says: figures,
  },
  {
    name: 'training',
    files: { 'huge.adapter': spec.replace('import "base.adapter"', sevenBillion) },
    line: train('huge.adapter'),
    code: 1,
    says: figures,
  },
  { name: 'generating', line: ['generate', 'huge.adapter', '--prompt', 'a'], code: 1, says: figures },
]);

check('folders that cannot be written', [
  {
    name: 'a run below a file',
    files: { occupied: 'a file' },
    line: ['train', 'spec.adapter', '--out', 'occupied/run'],
    code: 1,
    says: [/cannot write into the folder occupied\/run/],
  },
  {
    name: 'a run in place of a file',
    line: ['train', 'spec.adapter', '--out', 'occupied'],
    code: 1,
    says: [/occupied/],
  },
  {
    name: 'a package below a file',
    line: ['build', 'spec.adapter', '--profile', 'gpu', '--out', 'occupied/package'],
    code: 1,
    says: [/cannot write the package/],
  },
  {
    name: "a package in place of the user's folder",
    line: ['build', 'spec.adapter', '--profile', 'gpu', '--out', '.'],
    code: 1,
    says: [/which is no part of a package/],
  },
]);

t('what was refused left nothing behind and took nothing away', () => {
  assert.not(existsSync(join(folder, 'seven')));
  assert.ok(existsSync(join(folder, 'spec.adapter')));
  assert.is(readFileSync(join(folder, 'occupied'), 'utf8'), 'a file');
});

t('exit codes are those of the process', async () => {
  const [usage, failed] = await Promise.all([
    graft(['train', '--nonsense'], folder),
    graft(['train', 'broken.adapter'], folder),
  ]);
  assert.equal([usage.code, failed.code], [2, 1]);
  assert.match(usage.err, /--nonsense/);
  assert.is(usage.out + failed.out, '', 'errors go to standard error');
});

t.run();
