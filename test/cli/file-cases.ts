/** Command lines that must fail for what is in their files, or for where they would write. */
import { specPath } from '../compiler/subjects.ts';
import { type Case, changed, group, onBase, train } from './cases.ts';
import { spec } from './tiny-project.ts';

group('weights and tokenizers that are not those of the base', [
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
    name: 'no PyTorch file',
    files: { ...onBase('pickle', ['base.safetensors', 'pickle.pth']), 'pickle.pth': 'x' },
    line: train('pickle.adapter'),
    code: 1,
    says: [/pickle\.pth is no file of `torch\.save`/],
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

group('data that cannot be trained on', [
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

group('an example longer than the context is cut, and said to be', [
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
group('what does not fit on the device is said before anything is read or allocated', [
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

group('folders that cannot be written', [
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
