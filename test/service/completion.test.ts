/** Completion, with the cursor in the text. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { complete, type Completion } from '../../compiler/service/completion.ts';
import { kinds } from '../../compiler/kinds/index.ts';
import { onLlama, scene } from './marks.ts';

const t = suite('completion');

function completion(text: string): Completion | null {
  const s = scene(text);
  return complete(s.workspace, s.path, s.offset);
}

const labels = (text: string): string[] => (completion(text)?.proposals ?? []).map((p) => p.label);

/** Exactly these, in any order. */
const offers = (text: string, ...expected: string[]): void =>
  assert.equal(labels(text).sort(), [...expected].sort(), text);

/** Among others. */
function includes(text: string, ...expected: string[]): void {
  const found = labels(text);
  for (const label of expected)
    assert.ok(found.includes(label), `${label} is not among ${found.join(' ')}\n${text}`);
}

function lacks(text: string, ...others: string[]): void {
  const found = labels(text);
  for (const label of others) assert.not.ok(found.includes(label), `${label} is among them\n${text}`);
}

const declarations = ['import', 'base', 'param', 'data', 'adapter', 'recipe', 'sweep'];
const kindNames = kinds.map((k) => k.name);
const items = [...kindNames, 'group', 'task', 'expert', 'override', 'drop'];
const layers = ['first', 'last', 'all', 'none'];
const params = ['late', 'early'];
const bases = ['llama7b', 'llama13b', 'llama65b'];

/** `items` inside an adapter with parts, a group and a task above them. */
const inside = (text: string): string =>
  onLlama(`  prompt words on layers[late] { length = 10 }
  encoder vision { model = features(width: 8) }
  project visual from vision { length = 1 }
  group writing = words
${text}
  task instruct on instructions trains writing
`);

t('declarations', () => {
  offers('<|>', ...declarations);
  offers('ad<|>', ...declarations);
  offers('param a = 1\n<|>\nadapter X on y {}', ...declarations);
  offers('base b { layers = 1 }\n<|>', ...declarations);
});

t('what is typed is what is replaced', () => {
  const s = scene('param a = 1\n<|adap<|>|>');
  assert.equal(complete(s.workspace, s.path, s.offset)?.span, s.ranges[0]);
});

t('clauses of declarations', () => {
  offers('import "bases.adapter"\nadapter X <|>', 'on', 'extends', ...declarations);
  offers('base b <|>', 'from', ...declarations);
  offers('base b from <|>');
  offers('base b from "<|>');
  offers('base b from "x" <|>', ...declarations);
  includes('base b from "x" { <|> }', 'layers', 'weights');
  offers('import "bases.adapter"\nadapter X on <|>', ...bases);
  offers('import "bases.adapter"\nadapter X on lla<|>', ...bases);
  includes('import "bases.adapter"\nadapter X on llama7b <|>', 'extends');
  lacks('import "bases.adapter"\nadapter X on llama7b <|>', 'on');
  offers(`${inside('')}adapter Y extends <|>`, 'V2');
  offers(`${inside('')}recipe r <|>`, 'for');
  offers(`${inside('')}recipe r for <|>`, 'V2');
  offers(`${inside('')}sweep s <|>`, 'over', 'with');
  offers(`${inside('')}recipe r for V2 { steps = 1 }\nsweep s over V2 with <|>`, 'r');
  offers('adapter <|>');
  offers('recipe <|>');
  includes('data d = <|>', 'alpaca', 'text', 'image_text');
  offers('data d = alpaca("<|>")');
});

t('items', () => {
  offers(onLlama('<|>'), ...items);
  offers(onLlama('  pro<|>'), ...items);
  includes(inside('  <|>'), ...items);
  offers(inside('  prompt <|>'));
  offers(inside('  prompt image <|>'), 'on', 'from');
  offers(inside('  project more <|>'), 'from');
  includes(inside('  bias b on every norm\n  <|>'), ...items);
});

t('places of a part on layers', () => {
  offers(inside('  prompt image on <|>'), 'layers', 'input', ...layers, ...params);
  offers(inside('  prefix image on <|>'), 'layers', ...layers, ...params);
  offers(inside('  prompt image on layers[<|>'), ...layers, ...params);
  offers(inside('  prompt image on layers[ea<|>] { length = 10 }'), ...layers, ...params);
  offers(inside('  prompt image on layers[first <|>]'), ...params);
  offers(inside('  prompt image on layers[first 2 <|>]'), 'in');
  offers(inside('  prompt image on layers[0..7 <|>]'), 'by');
  offers(inside('  prompt image on layers[late + <|>]'), ...layers, ...params);
  offers(inside('  prompt image on layers[(late + <|>)]'), ...layers, ...params);
});

t('places of a part on linears and norms', () => {
  offers(inside('  bias b on <|>'), 'every', 'layers', 'norm', 'output', ...params);
  offers(inside('  lora b on <|>'), 'every', 'layers', 'output', ...params);
  offers(inside('  bias b on every <|>'), 'linear', 'norm');
  offers(inside('  lora b on every <|>'), 'linear');
  offers(inside('  unfreeze b on every <|>'), 'linear', 'norm', 'embedding');
  includes(inside('  bias b on every linear <|>'), 'in');
  includes(inside('  bias b on every linear in <|>'), 'layers', 'output', ...layers, ...params);
  offers(inside('  bias b on layers.<|>'), 'attention', 'feed_forward', 'attention_norm', 'ffn_norm');
  offers(inside('  lora b on layers.<|>'), 'attention', 'feed_forward');
  offers(inside('  lora b on layers[late].attention.<|>'), 'wq', 'wk', 'wv', 'wo');
  offers(inside('  lora b on layers[late].attention.w<|>'), 'wq', 'wk', 'wv', 'wo');
  offers(inside('  lora b on layers.attention.{wq, <|>'), 'wk', 'wv', 'wo');
  offers(inside('  lora b on layers.attention.{wq, w<|>}'), 'wk', 'wv', 'wo');
  offers(inside('  lora b on layers.*.<|>'), 'wq', 'wk', 'wv', 'wo', 'w1', 'w2', 'w3');
  includes(inside('  lora b on **.<|>'), 'attention', 'w1');
  offers(inside('  lora b on layers[<|>].attention'), ...layers, ...params);
});

t('sources', () => {
  offers(inside('  prompt image on layers from <|>'), 'visual');
  offers(inside('  project more from <|>'), 'vision', 'visual');
});

t('attributes of a kind, those not written yet', () => {
  offers(inside('  prompt image on layers { <|> }'), 'length', 'gate', 'init', 'fuse', 'key_norm', 'rate');
  offers(
    inside('  prompt image on layers { length = 10 <|> gate = none }'),
    'init',
    'fuse',
    'key_norm',
    'rate',
  );
  offers(
    inside('  prompt image on layers { length = 10\n    ra<|>'),
    'gate',
    'init',
    'fuse',
    'key_norm',
    'rate',
  );
  offers(inside('  bias b on every norm { <|>'), 'init', 'rate');
  offers(
    'base b { layers = 1 <|> dim = 1 }',
    ...['family', 'heads', 'kv_heads', 'head_dim', 'ffn', 'vocab', 'context'],
    ...['norm_eps', 'rope', 'tied', 'weights', 'tokenizer', 'init', 'biases'],
    ...['store', 'window', 'windowed', 'unrotated', 'score_dim', 'score_cap', 'logit_cap'],
  );
  offers(
    inside('  task t on instructions trains words { <|> }'),
    'border',
    'template',
    'max_tokens',
    'ignore',
    'ask',
    'test',
    'shared',
  );
  offers(
    `${inside('')}adapter Y extends V2 { override words { <|> } }`,
    'length',
    'gate',
    'init',
    'fuse',
    'key_norm',
    'rate',
  );
  includes('recipe r for X { <|>', 'epochs', 'optimizer');
});

t('values of an attribute', () => {
  offers(inside('  scale s on every norm { side = <|> }'), 'output', 'input', ...params);
  offers(inside('  prompt image on layers { gate = <|> }'), 'tanh', 'raw', 'none', ...params);
  offers(inside('  task t on instructions trains words { shared = t<|> }'), 'true', 'false', ...params);
  offers(inside('  prompt image on layers { fuse = add(<|>'), 'to', 'words');
  offers(inside('  prompt image on layers { fuse = add(to: <|>'), 'words');
  const test = inside('  task t on instructions trains words { test = [instructions, <|> }');
  offers(test, 'instructions', 'pairs');
  includes('recipe r for X { schedule = cosine(warmup: 2 <|>) }', 'epochs', 'steps');
});

t('arguments of calls', () => {
  offers(inside('  prompt image on layers { gate = tanh(<|>) }'), 'init', 'per', 'factor', '0', ...params);
  offers(inside('  prompt image on layers { gate = tanh(init: 0, <|>) }'), 'per', 'factor');
  offers(inside('  prompt image on layers { gate = tanh(init: 0, <|>, per: head) }'), 'factor');
  offers(inside('  prompt image on layers { gate = tanh(per: <|>) }'), 'head', 'layer', 'const', ...params);
  offers(`${inside('')}recipe r for V2 { mix = alternate(<|>) }`, 'instruct');
  includes('recipe r for X { optimizer = adamw(lr: 1, <|>', 'betas', 'eps', 'weight_decay');
});

t('groups and tasks', () => {
  const members = ['words', 'vision', 'visual', 'writing', 'base'];
  offers(inside('  group more = <|>'), ...members);
  offers(inside('  group more = words + <|>'), ...members);
  offers(inside('  group more = words.<|>'), 'prompt', 'gate');
  offers(inside('  group more = words.g<|>'), 'prompt', 'gate');
  offers(inside('  task t <|>'), 'on', 'trains');
  offers(inside('  task t on <|>'), 'instructions', 'pairs');
  offers(inside('  task t on pairs <|>'), 'trains');
  offers(inside('  task t on pairs trains <|>'), ...members);
  offers(inside('  task t on pairs trains (<|>'), ...members);
});

t('override and drop know what is inherited, and what it is', () => {
  const child = (text: string): string => `${inside('')}adapter Child extends V2 {\n  ${text}\n}`;
  const all = ['words', 'vision', 'visual', 'writing', 'instruct'];
  offers(child('override <|>'), ...all);
  offers(child('drop <|>'), ...all);
  offers(child('drop words override <|>'), 'vision', 'visual', 'writing', 'instruct');
  includes(child('override words <|>'), 'on', 'from');
  offers(child('override words on <|>'), 'layers', 'input', ...layers, ...params);
  includes(child('override instruct <|>'), 'trains');
  lacks(child('override instruct <|>'), 'on', 'from');
  offers(child('override writing = <|>'), 'words', 'vision', 'visual', 'writing', 'base');
});

t('a prompt of an override can be added to other prompts', () => {
  const more = inside('  prompt image on layers from visual');
  offers(`${more}adapter Y extends V2 { override image { fuse = add(to: <|>) } }`, 'words', 'image');
});

t('sweeps', () => {
  const sweep = (text: string): string =>
    `${inside('')}recipe r for V2 { steps = 1 }\nsweep s over V2 with r {\n  ${text}\n}`;
  offers(sweep('<|>'), 'seed', 'measure', 'where', ...params);
  offers(sweep('late = [none]\n  <|>'), 'seed', 'measure', 'where', 'early');
  offers(sweep('late = [<|>]'), ...layers, ...params);
  offers(sweep('late = [first 1, <|>]'), ...layers, ...params);
  offers(sweep('measure = [<|>]'), 'loss', 'accuracy', 'parameters', 'flops', 'memory', 'time');
  offers(sweep('seed = [<|>]'));
  offers(sweep('where <|>'), ...layers, ...params);
  offers(sweep('where early & late == <|>'), ...layers, ...params);
});

t('params', () => {
  offers('param a = 1\nparam b = <|>', ...layers, 'a');
  offers('param a = last 3 <|>', 'in', ...declarations);
});

t('nothing in comments, strings, numbers, and new names', () => {
  for (const text of ['// a <|>', 'import "a<|>', 'import "<|>', 'param a = 1<|>', 'param <|>', 'group <|>'])
    assert.equal(completion(text)?.proposals ?? [], [], text);
  assert.ok(labels('import "a.adapter"\n<|>').length > 0);
});

t('an unclosed bracket above does not matter', () => {
  offers(
    `adapter X on y {\n  prompt p on layers { length = 10\n\nrecipe r for X { <|>`,
    ...labels('recipe r for X { <|>'),
  );
  includes(onLlama('  prompt p on layers { length = 10\n  group g = <|>'), 'base', 'p');
  includes(onLlama('  prompt p on layers[late { length = 10 }\n  task t on <|>'), 'pairs');
});

t('proposals explain themselves', () => {
  const attribute = completion(inside('  prompt image on layers { <|> }'))?.proposals.find(
    (p) => p.label === 'length',
  );
  assert.is(attribute?.snippet, 'length = $1');
  assert.match(attribute?.detail ?? '', /a whole number from 1 to [\d,]+, or `none`; default `none`/);
  const call = completion(inside('  encoder e { model = <|> }'))?.proposals.find(
    (p) => p.label === 'features',
  );
  assert.is(call?.snippet, 'features(width: $1)');
  for (const text of [inside('  <|>'), '<|>', inside('  prompt p on <|>')])
    for (const p of completion(text)?.proposals ?? [])
      if (p.kind === 'keyword' || p.kind === 'kind') assert.ok(p.doc !== '', p.label);
});

t.run();
