/** `check`, `explain` and `show` as the command line runs them: what they print and how they end. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { command as check } from '../../runtime/cli/check.ts';
import { EXIT, UsageError, type Command } from '../../runtime/cli/command.ts';
import { command as explain } from '../../runtime/cli/explain.ts';
import { command as show } from '../../runtime/cli/show.ts';

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
  assert.equal(await run(check, join(specs, 'lora.adapter')), { code: EXIT.ok, out: '', err: '' });
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
  assert.match(warned.err, /1 warning$/);
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

t('check: usage mistakes', async () => {
  await failsToParse(check);
  await failsToParse(check, 'no-such-file.adapter');
  await failsToParse(check, join(specs, 'lora.adapter'), '--format', 'xml');
  await failsToParse(check, join(specs, 'lora.adapter'), '--set', 'rank');
  await failsToParse(check, join(specs, 'lora.adapter'), '--base', join(specs, 'bases.adapter:nothing'));
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
  assert.match(out, /\n8 +\. +qkvo123 +qkvo123 +af\n/);
  assert.match(out, /\n9 +10 +qkvo123 +qkvo123 +af\n/);
  assert.match(out, /\nnorms +unfreeze +414,720 +0\.0032%/);
});

t('show: as data', async () => {
  const { out } = await run(show, '--json', join(specs, 'llama-adapter-v1.adapter:LlamaAdapterV1'));
  const [model] = JSON.parse(out) as { counts: { trained: number } }[];
  assert.is(model?.counts.trained, 1_229_760);
  await failsToParse(show, join(specs, 'llama-adapter-v1.adapter:Other'));
});

t.run();
