/** Which tokens frame a text and end an answer, by what the files of a model's folder say. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readBeside } from '../../runtime/tokenizer/beside.ts';
import { huggingfaceTokenizer } from '../../runtime/tokenizer/huggingface.ts';
import { trainBpe } from '../../runtime/tokenizer/train-bpe.ts';

const t = suite('special tokens');

const names = ['<unk>', '<s>', '</s>', '<|eot|>'];
/** Ids 0 to 3, and a post-processor that puts `<s>` first. */
const json = trainBpe(['some words'], { vocabSize: 120, specialTokens: names });
const byteLevel = { type: 'ByteLevel', add_prefix_space: true, trim_offsets: false, use_regex: true };
const silent = { ...json, post_processor: byteLevel };

const begin = (file: object, config: object = {}): number | null => huggingfaceTokenizer(file, config).bos;

t('what goes in front of a text: the post-processor says, unless a config says otherwise', () => {
  assert.is(begin(json), 1);
  // The token that is prepended is the post-processor's, whatever another file calls the begin.
  assert.is(begin(json, { bos_token: '</s>' }), 1);
  assert.is(begin(silent), null);
  assert.is(begin({ ...json, post_processor: null }), null);
  assert.is(begin({ ...json, post_processor: null }, { bos_token: '<s>' }), null);
  const both = { type: 'Sequence', processors: [byteLevel, json['post_processor']] };
  assert.is(begin({ ...json, post_processor: both }), 1);
  const bert = { type: 'RobertaProcessing', sep: ['</s>', 2], cls: ['<s>', 1] };
  assert.is(begin({ ...json, post_processor: bert }), 1);
});

t('null means none, add_bos_token decides where it is written', () => {
  assert.is(begin(json, { bos_token: null }), null);
  assert.is(begin(json, { add_bos_token: false }), null);
  assert.is(begin(json, { add_bos_token: false, bos_token: '<s>' }), null);
  // DeepSeek's folders: a post-processor that adds nothing, and a config that asks for the begin.
  assert.is(begin(silent, { add_bos_token: true, bos_token: { content: '</s>' } }), 2);
  assert.is(begin(silent, { add_bos_token: true }), 1);
  assert.is(begin(silent, { add_bos_token: true, bos_token: null }), null);
});

t('a begin of several tokens is refused by name', () => {
  const piece = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
  const template = {
    ...(json['post_processor'] as object),
    single: [piece('<s>'), piece('<|eot|>'), { Sequence: { id: 'A', type_id: 0 } }],
  };
  assert.throws(() => begin({ ...json, post_processor: template }), /puts 2 tokens in front of a text/);
});

t('the end that is learned, and the ends of answers', () => {
  const ends = (config: object, ...models: unknown[]): [number | null, number[]] => {
    const { eos, ends } = huggingfaceTokenizer(json, config, 'tokenizer.json', models);
    return [eos, [...ends].sort((a, b) => a - b)];
  };
  assert.equal(ends({}), [2, [2]]);
  assert.equal(ends({ eos_token: null }), [null, []]);
  assert.equal(ends({ eos_token: null }, { eos_token_id: 3 }), [null, [3]]);
  assert.equal(ends({ eos_token: { content: '<|eot|>' } }), [3, [3]]);
  // A list, one id, null, and files that are not there.
  const many = [{ eos_token_id: [3, 2, 90] }, { eos_token_id: 4 }, { eos_token_id: null }, undefined, null];
  assert.equal(ends({ eos_token: '</s>' }, ...many), [2, [2, 3, 4, 90]]);
  assert.equal(ends({}, { eos_token_id: 'x' }, { eos_token_id: [-1, 1.5] }), [2, [2]]);
  // Without a name the model's own id goes before one of a usual name.
  assert.equal(ends({}, { eos_token_id: 3 }), [3, [3]]);
  assert.throws(() => ends({ eos_token: '<|x|>' }), /has no token "<\|x\|>"[^]*names as `eos_token`/);
});

t('unknown and padding: a name without a token does no harm, and what the model emits goes first', () => {
  assert.is(huggingfaceTokenizer(json, { unk_token: '</s>' }).unk, 0);
  const plain = { ...json, model: { ...json.model, unk_token: null } };
  assert.is(huggingfaceTokenizer(plain, { unk_token: '</s>' }).unk, 2);
  assert.is(huggingfaceTokenizer(plain, { unk_token: null }).unk, null);
  assert.is(huggingfaceTokenizer(plain).unk, 0);
  assert.is(huggingfaceTokenizer(json, { pad_token: '<|x|>' }).pad, null);
});

t('added tokens beyond the vocabulary, also where only the config lists them', () => {
  const config = {
    eos_token: '<|im_end|>',
    added_tokens_decoder: {
      0: { content: '<unk>', special: true },
      150: { content: '<|im_end|>', special: true, lstrip: false, rstrip: false, normalized: false },
    },
  };
  const tokenizer = huggingfaceTokenizer(json, config);
  assert.equal([tokenizer.eos, tokenizer.vocabSize], [150, 151]);
  // The ids between have no token.
  assert.is(tokenizer.gaps.at(-1), 149);
  assert.is(tokenizer.gaps.includes(150), false);
  assert.equal(tokenizer.encode('a<|im_end|>').at(-1), 150);
  assert.is(tokenizer.decode([150]), '');
  assert.throws(() => tokenizer.decode([149]), /149 is not in the vocabulary/);
});

t('a begin or an end that the text writes is not doubled', () => {
  const tokenizer = huggingfaceTokenizer(json, {}, 'tokenizer.json', [{ eos_token_id: [2, 3] }]);
  const framed = (text: string): number[] => tokenizer.encode(text, { bos: true, eos: true });
  const a = tokenizer.encode('a');
  assert.equal(framed('a'), [1, ...a, 2]);
  assert.equal(framed('<s>a'), [1, ...a, 2]);
  assert.equal(framed('<s>a</s>'), [1, ...a, 2]);
  assert.equal(framed('a<|eot|>'), [1, ...a, 3]);
  assert.equal(framed('a<|eot|>\n'), [1, ...a, 3, ...tokenizer.encode('\n')]);
  assert.equal(framed('a</s>a'), [1, ...a, 2, ...a, 2]);
  assert.equal(framed(''), [1, 2]);
  // One token for both ends of a text: an empty one has both.
  const same = huggingfaceTokenizer(silent, { add_bos_token: true, bos_token: '</s>', eos_token: '</s>' });
  assert.equal(same.encode('', { bos: true, eos: true }), [2, 2]);
});

t(
  'the files beside it: tokenizer_config.json goes before special_tokens_map.json, null included',
  async () => {
    const reader = (files: Record<string, unknown>) => (name: string) => Promise.resolve(files[name]);
    const beside = await readBeside(
      reader({
        'special_tokens_map.json': { bos_token: '<s>', eos_token: '</s>' },
        'tokenizer_config.json': { bos_token: null },
        'config.json': { eos_token_id: 3 },
      }),
      reader({ 'generation_config.json': { eos_token_id: [5] } }),
    );
    assert.equal(beside.config, { bos_token: null, eos_token: '</s>' });
    assert.equal(beside.models.filter(Boolean), [{ eos_token_id: 3 }, { eos_token_id: [5] }]);
    assert.equal((await readBeside(reader({}))).config, {});
  },
);

t.run();
