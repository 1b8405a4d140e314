import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRandom } from '../../../runtime/random.ts';
import { InputError } from '../../../runtime/input-error.ts';
import { huggingfaceTokenizer } from '../../../runtime/tokenizer/huggingface.ts';
import { sentencepieceTokenizer } from '../../../runtime/tokenizer/sentencepiece.ts';
import { readHeader } from '../../../runtime/weights/gguf/header.ts';
import { openGguf, readTensor, tokenizerOfGguf } from '../../../runtime/weights/gguf/index.ts';
import { openSafetensors } from '../../../runtime/weights/safetensors.ts';
import { bytesSource } from '../../../runtime/weights/source.ts';
import { withShared } from '../../shared.ts';
import { floats, llamaMetadata, type MadeTensor, makeGguf } from './make.ts';

const t = suite('gguf');

const open = (bytes: Uint8Array) => openGguf(bytesSource('m.gguf', bytes));

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

async function refused(bytes: Uint8Array, pattern: RegExp): Promise<void> {
  await open(bytes).then(
    () => assert.unreachable(`${pattern} was not thrown`),
    (error: Error) => {
      assert.instance(error, InputError);
      assert.match(error.message, pattern);
      assert.match(error.message, /^m\.gguf/);
    },
  );
}

t('tensors go by Hugging Face’s names and rows', async () => {
  const file = await open(
    makeGguf(llamaMetadata, [
      floats('token_embd.weight', [5, 8], upTo(40)),
      floats('blk.0.attn_q.weight', [8, 8], upTo(64)),
      floats('blk.1.ffn_norm.weight', [8], upTo(8)),
      floats('blk.1.new_thing.weight', [1], [1]),
    ]),
  );
  assert.equal(
    [...file.tensors.keys()],
    [
      'model.embed_tokens.weight',
      'model.layers.0.self_attn.q_proj.weight',
      'model.layers.1.post_attention_layernorm.weight',
      'model.layers.1.new_thing.weight',
    ],
  );
  assert.equal(file.tensors.get('model.embed_tokens.weight')?.shape, [5, 8]);
  // Two heads of four rows, stored as pairs (0, 1), (2, 3): the first halves come first again.
  const rows = (await file.read('model.layers.0.self_attn.q_proj.weight')).filter((_, i) => i % 8 === 0);
  assert.equal(
    [...rows].map((x) => x / 8),
    [0, 2, 1, 3, 4, 6, 5, 7],
  );
  assert.equal([...(await file.read('model.layers.1.post_attention_layernorm.weight'))], upTo(8));
});

t('the configuration is in Hugging Face’s keys', async () => {
  const { config } = await open(makeGguf(llamaMetadata, [floats('token_embd.weight', [5, 8], upTo(40))]));
  assert.is(config['model_type'], 'llama');
  assert.is(config['vocab_size'], 5);
  assert.is(config['rms_norm_eps'], 1e-5);
  assert.is(config['head_dim'], 4);
  assert.is(config['tie_word_embeddings'], true);
  assert.equal(config['rope_parameters'], { rope_theta: 10000, rope_type: 'default' });
});

t('Gemma’s norms are stored as one more', async () => {
  const metadata = Object.fromEntries(
    Object.entries(llamaMetadata).map(([key, value]) => [key.replace(/^llama\./, 'gemma2.'), value]),
  );
  const file = await open(
    makeGguf({ ...metadata, 'general.architecture': { text: 'gemma2' } }, [
      floats('blk.0.attn_norm.weight', [2], [1.5, 1]),
      floats('blk.0.ffn_norm.weight', [2], [0, 1]),
      floats('token_embd.weight', [1, 8], upTo(8)),
    ]),
  );
  assert.equal([...(await file.read('model.layers.0.input_layernorm.weight'))], [0.5, 0]);
  assert.equal([...(await file.read('model.layers.0.pre_feedforward_layernorm.weight'))], [-1, 0]);
});

t('what is refused, and by what name', async () => {
  const tensor = (type: number, width: number): MadeTensor => ({
    name: 'blk.0.attn_q.weight',
    shape: [1, width],
    type,
    bytes: new Uint8Array(512),
  });
  await refused(new TextEncoder().encode('PK\u0003\u0004 and so on'), /not a GGUF file/);
  await refused(makeGguf(llamaMetadata, [], 2), /GGUF version 2/);
  await refused(makeGguf(llamaMetadata, [tensor(13, 256)]), /`blk\.0\.attn_q\.weight` is stored as Q5_K/);
  await refused(makeGguf(llamaMetadata, [tensor(99, 256)]), /stored as number 99/);
  await refused(makeGguf(llamaMetadata, [tensor(12, 96)]), /rows of 96 numbers, which Q4_K cannot store/);
  await refused(makeGguf({ ...llamaMetadata, 'general.architecture': { text: 'mamba' } }), /"mamba"/);
  await refused(makeGguf({ ...llamaMetadata, 'llama.expert_count': { u32: 8 } }), /mixture of experts/);
  await refused(
    makeGguf({ ...llamaMetadata, 'llama.feed_forward_length': { i32s: [8, 9] } }),
    /layer to layer/,
  );
  const turned = { ...llamaMetadata, 'llama.vocab_size': { u32: 5 } };
  await refused(makeGguf({ ...turned, 'llama.rope.scaling.type': { text: 'spiral' } }), /`spiral`/);
  const { 'llama.block_count': _, ...without } = llamaMetadata;
  await refused(makeGguf(without), /`llama\.block_count` is missing/);
  const twice = floats('token_embd.weight', [1, 8], upTo(8));
  await refused(makeGguf(llamaMetadata, [twice, twice]), /there twice/);
});

t('cut or changed files are refused and nothing else is thrown', async () => {
  const whole = makeGguf({ ...llamaMetadata, 'a.list': { texts: ['x', 'yy'] } }, [
    floats('token_embd.weight', [5, 8], upTo(40)),
    floats('blk.0.attn_q.weight', [8, 8], upTo(64)),
  ]);
  const end = whole.length;
  for (let length = 0; length < end; length++)
    await open(whole.slice(0, length)).then(
      () => assert.unreachable(`${length} of ${end} bytes were taken for a whole file`),
      (error: Error) => assert.instance(error, InputError, `${length} bytes: ${error.stack}`),
    );
  const random = createRandom(7);
  for (let trial = 0; trial < 3000; trial++) {
    const bytes = whole.slice();
    for (let i = 0; i < 3; i++)
      bytes[Math.floor(random.uniform() * 420)] = Math.floor(random.uniform() * 256);
    await open(bytes).then(
      () => undefined,
      (error: Error) => assert.instance(error, InputError, error.stack),
    );
  }
});

withShared(t, 'recorded files: dequantised rows to the last bit, ids of the text', async (shared) => {
  const root = join(shared, 'golden-hf', 'gguf');
  let compared = 0;
  for (const name of readdirSync(root)) {
    const folder = join(root, name);
    const json = (file: string): unknown => JSON.parse(readFileSync(join(folder, file), 'utf8'));
    const expected = json('expected.json') as { readonly text: string };
    const theirs = huggingfaceTokenizer(json('hf/tokenizer.json'), json('hf/tokenizer_config.json'));
    for (const file of readdirSync(folder).filter((entry) => entry.endsWith('.gguf'))) {
      const kind = file.slice(name.length + 1, -'.gguf'.length);
      const source = bytesSource(file, readFileSync(join(folder, file)));
      const { header } = await openGguf(source);
      const tokenizer = tokenizerOfGguf(header, file);
      const ours = huggingfaceTokenizer(tokenizer.tokenizer, tokenizer.config, file);
      assert.equal(ours.encode(expected.text), theirs.encode(expected.text), file);
      const recorded = await openSafetensors(
        bytesSource(kind, readFileSync(join(folder, `expected-${kind}.safetensors`))),
      );
      for (const key of recorded.tensors.keys()) {
        const tensor = header.tensors.get(key.replace('dequantised_rows_0_8.', ''));
        if (!tensor) continue;
        const want = await recorded.read(key);
        const got = (await readTensor(source, tensor)).subarray(0, want.length);
        assert.ok(
          want.every((value, i) => Object.is(value, got[i])),
          `${file} ${key}`,
        );
        compared++;
      }
    }
  }
  assert.ok(compared > 0);
});

withShared(t, 'LLaMA’s own vocabulary gives the ids of its tokenizer.model', async (shared) => {
  const file = 'ggml-vocab-llama-spm.gguf';
  const header = await readHeader(bytesSource(file, readFileSync(join(shared, 'data', file))));
  const { tokenizer, config } = tokenizerOfGguf(header, file);
  const ours = huggingfaceTokenizer(tokenizer, config, file);
  const theirs = sentencepieceTokenizer(readFileSync(join(shared, 'data', 'tokenizer.model')));
  assert.is(ours.vocabSize, theirs.vocabSize);
  for (const text of [
    'Hello world',
    ' two  spaces and\na line',
    'naïve café, 東京 and 🦙🦙',
    'x = f(a[0], b) ** 2  # comment',
    'supercalifragilisticexpialidocious 1234567890',
  ]) {
    assert.equal(ours.encode(text), theirs.encode(text), text);
    assert.is(ours.decode(ours.encode(text)), text);
  }
});

t.run();
