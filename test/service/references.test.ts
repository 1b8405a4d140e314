/** Definitions, references and renaming, with cursors in the text. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { definition, references } from '../../compiler/service/references.ts';
import { prepareRename, rename, type Edit } from '../../compiler/service/rename.ts';
import { onLlama, scene, type Scene } from './marks.ts';

const t = suite('names');

type Files = string | Readonly<Record<string, string>>;

/** The cursor's name is written in the marked ranges, and the first of them is its declaration. */
function pointsTo(files: Files): void {
  const s = scene(files);
  const place = ({ file, start, end }: { file: string; start: number; end: number }) =>
    `${file}:${start}-${end} ${s.texts[file]?.slice(start, end)}`;
  const found = references(s.workspace, s.path, s.offset);
  assert.equal(found.map((o) => place(o.span)).sort(), s.ranges.map(place).sort());
  const at = definition(s.workspace, s.path, s.offset);
  const declared = found.filter((o) => o.declares).map((o) => place(o.span));
  assert.equal([at === null ? 'none' : place(at)], declared);
}

t('a param: in layers, in places, in values, in params, in sweeps', () => {
  pointsTo(`import "bases.adapter"
param <|la<|>te|> = last 31
param length = 10
param both = <|late|> + first 1
adapter V2 on llama7b {
  prompt words on layers[<|late|>] { length = length }
  bias b on layers[first 1 + (<|late|>)].attention.{wq, wv} + every norm in layers[<|late|>]
  scale s on every linear in <|late|>
  task t on d trains words + b + s
}
data d = alpaca("a.json")
recipe r for V2 { steps = 10 }
sweep s over V2 with r {
  <|late|> = [first 1, both]
  where <|late|> & first 1 == none
}`);
});

t('a param in the arguments of calls, not where a word has a meaning of its own', () => {
  pointsTo(`import "bases.adapter"
param <|start|> = 0
param head = 3
adapter A on llama7b {
  prompt words on layers { length = 10  gate = tanh(init: <|st<|>art|>, per: head)  init = normal(<|start|>, mean: <|start|>) }
  task t on d trains words
}
data d = alpaca("a.json")
recipe r for A { steps = 10  optimizer = adamw(betas: [<|start|>, 0.9]) }`);
});

t('the count of an edge is a param', () => {
  pointsTo(`param <|n|> = 3\nparam late = last <|n<|>|> in layers`);
});

t('a part: in groups, behind `from`, in `fuse`, in overrides and drops', () => {
  pointsTo(
    onLlama(`  encoder <|eye|> { model = features(width: 8) }
  project visual from <|e<|>ye|> { length = 1 }
  task t on pairs trains visual + <|eye|> - <|eye|>.weight`) +
      `adapter Other extends V2 { override <|eye|> { take = class } }
adapter Third extends Other { drop <|eye|> }`,
  );
  pointsTo(
    onLlama(`  prompt <|words|> on layers[late] { length = 10 }
  prompt image on layers[late] { length = 10  fuse = add(<|words|>) }
  group writing = <|words<|>|> + <|words|>.gate`),
  );
});

t('a name that was dropped is free again', () => {
  const child =
    'adapter B extends V2 { drop <|words|> prompt words on layers { length = 1 } group g = words }\n';
  pointsTo(`${onLlama('  prompt <|wo<|>rds|> on layers { length = 1 }')}${child}`);
  const own =
    'adapter B extends V2 { drop words prompt <|words|> on layers { length = 1 } group g = <|wor<|>ds|> }\n';
  pointsTo(`${onLlama('  prompt words on layers { length = 1 }')}${own}`);
});

t('groups, tasks, data, adapters, recipes', () => {
  const spec = (at: string): string => {
    const text = `import "bases.adapter"
data [data] = alpaca("a.json")
adapter [adapter] on llama7b {
  bias b on every linear
  group [group] = b
  task [task] on [data] trains [group] { test = [data] }
  task other on [data] trains [group] { test = [[data], [data]]  shared = true }
}
adapter Other extends [adapter] { override [group] = b  override [task] { max_tokens = 10 } }
recipe [recipe] for [adapter] { mix = alternate([task]: 1)  steps = 1 }
sweep s over [adapter] with [recipe] {}`;
    return text
      .replaceAll(`[${at}]`, '<|x|>')
      .replace('<|x|>', '<|<|>x|>')
      .replace(/\[(\w+)\]/g, '$1_');
  };
  for (const at of ['data', 'adapter', 'group', 'task', 'recipe']) pointsTo(spec(at));
});

t('across imports, from either side', () => {
  const files = (a: string, b: string) => ({
    'lib/base.adapter': `base <|${a}|> { layers = 2 dim = 8 heads = 2 ffn = 8 vocab = 8 }`,
    'one.adapter': `import "lib/base.adapter"\nadapter A on <|${b}|> {}`,
    'two.adapter': `import "one.adapter"\nadapter B on <|tiny|> extends A {}`,
    'three.adapter': 'base tiny { layers = 2 dim = 8 heads = 2 ffn = 8 vocab = 8 }\nadapter A on tiny {}',
  });
  pointsTo(files('ti<|>ny', 'tiny'));
  pointsTo(files('tiny', 'tiny<|>'));
});

t('a file without imports is understood through those that import it', () => {
  pointsTo({
    'recipe.adapter': 'recipe r for <|V<|>2|> { steps = 10 }',
    'main.adapter': 'import "bases.adapter"\nimport "recipe.adapter"\nadapter <|V2|> on llama7b {}',
  });
});

t('an import leads to its file; a word of the language nowhere', () => {
  const s = scene('import "ba<|>ses.adapter"');
  assert.equal(definition(s.workspace, s.path, s.offset), { file: 'bases.adapter', start: 0, end: 0 });
  for (const text of ['import "no<|>where.adapter"', onLlama('  pro<|>mpt words on layers {}'), 'a<|>']) {
    const nowhere = scene(text);
    assert.is(definition(nowhere.workspace, nowhere.path, nowhere.offset), null);
    assert.equal(references(nowhere.workspace, nowhere.path, nowhere.offset), []);
  }
});

t('in a broken file', () => {
  pointsTo(`param <|late|> = last 31
adapter X on y {
  prompt a on layers[<|la<|>te|>] { length =
  bias b on
  scale c on layers[<|late|>`);
});

const apply = (s: Scene, edits: readonly Edit[], file: string): string =>
  edits
    .filter((e) => e.span.file === file)
    .toReversed()
    .reduce((text, e) => text.slice(0, e.span.start) + e.text + text.slice(e.span.end), s.texts[file] ?? '');

/** The ranges, and nothing else, get the new name. */
function renames(files: Files, to: string): void {
  const s = scene(files);
  const at = prepareRename(s.workspace, s.path, s.offset);
  assert.is(
    s.ranges.some((r) => r.start === at?.span.start && r.file === s.path),
    true,
  );
  const result = rename(s.workspace, s.path, s.offset, to);
  assert.ok(result.ok, result.ok ? '' : result.reason);
  for (const [file, text] of Object.entries(typeof files === 'string' ? { 'main.adapter': files } : files)) {
    const expected = text.replace(/<\|>/g, '').replace(/<\|\w+\|>/g, to);
    assert.is(apply(s, result.edits, file), expected);
  }
}

function refuses(files: Files, to: string, reason: RegExp): void {
  const s = scene(files);
  const result = rename(s.workspace, s.path, s.offset, to);
  assert.not.ok(result.ok, 'it was not refused');
  if (!result.ok) assert.match(result.reason, reason);
}

const two = {
  'bases2.adapter':
    'base <|tiny|> { layers = 2 dim = 8 heads = 2 ffn = 8 vocab = 8 }\nparam early = first 1\n',
  'main.adapter': `import "bases2.adapter"
adapter A on <|ti<|>ny|> { prompt p on layers[early] { length = 1  gate = tanh(per: head) } }`,
};

t('rename: every place, in every file', () => {
  renames(two, 'llama');
  renames(onLlama('  bias <|b|> on every linear\n  group g = <|b<|>|> - <|b|>.wq'), 'biases');
});

t('rename: what is no name, or taken, is refused', () => {
  refuses(two, '7b', /not a name/);
  refuses(two, '', /not a name/);
  refuses(two, 'a b', /not a name/);
  refuses(two, 'adapter', /word of the language/);
  refuses('param la<|>te = 1', 'none', /word of the language/);
  refuses('param la<|>te = 1\nparam early = 2', 'early', /a param `early` already/);
  refuses(onLlama('  bias b<|> on every linear\n  group g = b'), 'g', /`V2` has a group `g` already/);
  const child = 'adapter Child extends V2 { scale s on every norm }';
  refuses(`${onLlama('  bias b<|> on every linear')}${child}`, 's', /`Child` has a part `s` already/);
  refuses('// no<|>thing', 'x', /no name here/);
});

t('rename: a name that would be caught elsewhere is refused', () => {
  const items = (place: string) => `  prompt p on layers[la<|>te] { length = 1 }\n  unfreeze b on ${place}`;
  const spec = (place: string) =>
    onLlama(items(place)).replace('param late', 'param la<|>te').replace('layers[la<|>te]', 'layers[late]');
  refuses(spec('output'), 'output', /something else/);
  refuses(spec('every norm in norm'), 'norm', /something else/);
  refuses(spec('every norm').replace('length = 1', 'length = 1  gate = late'), 'raw', /something else/);
});

t('the model of a base leads to its config.json', () => {
  const at = (text: string) => {
    const s = scene(text);
    return definition(s.workspace, s.path, s.offset);
  };
  assert.equal(at('base b from "models/<|>qwen3"'), { file: 'models/qwen3/config.json', start: 0, end: 0 });
  assert.is(at('base b from "models/<|>none"'), null);
});

t.run();
