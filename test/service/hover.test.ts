/** Hovers, with the pointer in the text. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { hover } from '../../compiler/service/hover.ts';
import { wordDocs } from '../../compiler/service/keyword-docs.ts';
import { keywords, spelling } from '../../grammar/tokens.ts';
import { createWorkspace } from '../../compiler/service/workspace.ts';
import { memoryHost } from '../../compiler/host.ts';
import { qwen3 } from '../check/models.ts';
import { onLlama, scene } from './marks.ts';

const t = suite('hover');

/** The hover over the cursor holds each of some texts; a marked range is what it is about. */
function shows(files: Parameters<typeof scene>[0], ...texts: (string | RegExp)[]): void {
  const s = scene(files);
  const found = hover(s.workspace, s.path, s.offset);
  assert.ok(found, 'there is no hover');
  for (const text of texts)
    if (typeof text === 'string') assert.ok(found.text.includes(text), `${text}\nis not in\n${found.text}`);
    else assert.match(found.text, text);
  const [range] = s.ranges;
  if (range !== undefined) assert.equal(found.span, range);
}

const nothing = (text: string): void => {
  const s = scene(text);
  assert.is(hover(s.workspace, s.path, s.offset), null);
};

const parts = `  /// Where the adapter
  /// sits.
  prompt words on layers[late] { length = 10  gate = tanh(init: 0, per: head) }
  bias biases on layers[early].attention.{wq, wv} + every norm
  unfreeze norms on every norm
  group writing = words + biases
  task instruct on instructions trains writing + norms { template = alpaca }`;

/** The parts above with a mark put into them. */
const at = (before: string, after: string): string => {
  const text = onLlama(parts);
  assert.ok(text.includes(before + after), `${before}${after} is not there`);
  return text.replace(before + after, `${before}<|>${after}`);
};

t('a part: its line, its document, its layers, its parameters', () => {
  shows(
    at('trains writing', ' + norms')
      .replace('prompt words', 'prompt <|words|>')
      .replace('<|>', '')
      .replace('<|words|>', '<|wor<|>ds|>'),
    'prompt words on layers[late]',
    'Where the adapter\nsits.',
    'layers 1..31 (31 of 32)',
    'adds 1,270,752 parameters, 0.0189% of llama7b',
    'tanh gate per head',
    'trained by `instruct`',
  );
});

t('a part on places', () => {
  shows(
    at('bias bia', 'ses'),
    '67 places',
    '`attention.wq`, `attention.wv` in layer 0 (1 of 32)',
    '`attention_norm`, `ffn_norm` in layers 0..31 (32 of 32)',
    '- `norm`',
  );
  shows(at('unfreeze nor', 'ms'), '65 norms', 'unfreezes 266,240 parameters, 0.0040% of llama7b');
});

t('groups, tasks, adapters and bases have their parameters counted', () => {
  shows(at('group wri', 'ting'), 'group writing = words + biases', '1,545,184 parameters');
  shows(
    at('task inst', 'ruct'),
    'task instruct on instructions trains writing + norms',
    'trains 1,811,424 parameters',
  );
  shows(
    at('adapter V', '2'),
    'adapter V2 on llama7b',
    '3 parts on `llama7b`, 1 task',
    'trains 1,811,424 parameters',
  );
  shows(at('on lla', 'ma7b'), '32 layers of width 4,096', '6,738,415,616 parameters', 'LLaMA 7B');
});

t('params say which layers they are', () => {
  shows(at('layers[la', 'te]'), 'param late = last 31 in layers', 'layers 1..31 (31 of 32) of `llama7b`');
  shows(at('param ear', 'ly'), 'layer 0 (1 of 32) of `llama7b`');
  shows(at('= last 3', '1 in layers'), 'layers 1..31 (31 of 32)');
});

t('layers and places are worked out', () => {
  const place = (on: string, kind = 'bias') => onLlama(`  ${kind} b on ${on}`);
  shows(place('<|every lin<|>ear in layers|>'), '224 linears', 'in layers 0..31 (32 of 32)');
  shows(place('every linear in <|lay<|>ers[last 2]|>'), 'layers 30..31 (2 of 32)');
  shows(place('layers[<|0..7 by <|>2|>]', 'prompt'), 'layers 0, 2, 4, 6 (4 of 32)');
  shows(place('<|layers.attention.{wq, w<|>v}|> + every norm'), '64 linears');
  shows(place('layers[last 2 in <|first <|>4|>].attention'), 'layers 0..3 (4 of 32)');
  shows(place('inp<|>ut', 'prompt'), 'In front of the words');
});

t('the numbers are those of the adapter at hand', () => {
  const child = (part: string) =>
    `${onLlama(parts)}adapter Child extends V2 { override ${part} on layers[last 8] }`;
  shows(
    child('wor<|>ds'),
    'prompt words on layers[last 8]',
    'layers 24..31 (8 of 32)',
    'adds 327,936 parameters',
  );
});

t('kinds, attributes and arguments', () => {
  shows(
    onLlama('  <|pro<|>mpt|> words on layers {}'),
    'softmax(q k^T',
    '`length`: a whole number',
    'default `none`',
  );
  shows(
    onLlama('  prompt words on layers { <|len<|>gth|> = 10 }'),
    '**length** of `prompt`',
    'default `none`',
  );
  shows(
    onLlama('  prompt words on layers { gate = tanh(<|p<|>er: head|>) }'),
    '**per** of `tanh(...)`',
    '`head` or `layer` or `const`; default `head`',
  );
  shows(onLlama('  prompt words on layers { gate = ta<|>nh }'), '**gate** of `prompt`', '`tanh(...)` takes');
  shows('recipe r for X { optimizer = adamw(betas: [0.9, <|>0.95]) }', '**betas** of `adamw(...)`');
  shows('base b { di<|>m = 8 }', 'Width of a token');
  shows(
    `${onLlama(parts)}adapter C extends V2 { override words { len<|>gth = 4 } }`,
    '**length** of `prompt`',
  );
});

t('data, words of the language', () => {
  shows('data d = <|alp<|>aca|>("a.json")', 'As `instructions`');
  shows('<|ada<|>pter|> X on y {}', wordDocs['adapter'] ?? '');
  shows(onLlama('  task t on instructions tra<|>ins base'), 'all else stays frozen');
  assert.equal(Object.keys(wordDocs).sort(), keywords.map(spelling).sort());
});

t('a base from a model: what was read and from where, on its name and on the string', () => {
  const read = [
    '```adapter\nbase b from "models/qwen3"\n```',
    '3 layers of width 36, 4 heads, 44 in the feed-forward network, 101 tokens',
    'read from models/qwen3/config.json: family qwen3',
  ];
  shows('base <|b<|>|> from "models/qwen3"', ...read);
  shows('base b from <|"models/q<|>wen3"|> { context = 3 }', ...read);
  shows('base b fro<|>m "models/qwen3"', /Of a base: the model/);
  shows('base b from "models/no<|>ne"', 'base b from "models/none"');
});

t('a model whose config.json changes is read again, also where an adapter stands on it', () => {
  const texts: Record<string, string> = {
    'main.adapter': 'base b from "m"\nadapter A on b { bias all on every linear }',
    'm/config.json': JSON.stringify(qwen3),
  };
  const host = { ...memoryHost({}), readFile: (path: string) => texts[path] ?? null };
  const workspace = createWorkspace(host);
  const seen = (word: string): string =>
    hover(workspace, 'main.adapter', texts['main.adapter']!.indexOf(word) + 1)?.text ?? '';
  assert.match(seen('"m"'), '3 layers');
  const before = seen('all on');
  texts['m/config.json'] = JSON.stringify({ ...qwen3, num_hidden_layers: 5 });
  assert.match(seen('"m"'), '5 layers');
  assert.is.not(seen('all on'), before);
  delete texts['m/config.json'];
  assert.not.match(seen('"m"'), 'layers');
  assert.equal(
    workspace
      .analysis('main.adapter')
      ?.diagnostics()
      .map(({ code }) => code),
    ['A136'],
  );
});

t('across imports, and from a file that is imported', () => {
  shows(
    {
      'params.adapter': 'param la<|>te = last 2',
      'main.adapter':
        'import "bases.adapter"\nimport "params.adapter"\nadapter A on llama13b { prompt p on layers[late] { length = 1 } }',
    },
    'layers 38..39 (2 of 40) of `llama13b`',
  );
});

t('in a broken file', () => {
  shows(
    onLlama(
      '  prompt words on layers[late] { length = 10 }\n  prompt im<|>age on layers[early] { length = 10 ',
    ),
    'layer 0 (1 of 32)',
  );
  shows(onLlama('  promt words on layers[la<|>te] { length = 10 }'), 'layers 1..31');
});

t('nothing where there is nothing to say', () => {
  nothing('// a com<|>ment');
  nothing('import "bases.ad<|>apter"');
  nothing('<|>');
  nothing('adapter X on y { pro<|>mt words }');
});

t.run();
