/** Outline, folds, hints, highlights, fixes, diagnostics: what an editor asks of a whole file. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { diagnose } from '../../compiler/service/diagnostics.ts';
import { quickFixes } from '../../compiler/service/fixes.ts';
import { folds } from '../../compiler/service/folding.ts';
import { highlights } from '../../compiler/service/highlights.ts';
import { hints } from '../../compiler/service/hints.ts';
import { outline, type OutlineSymbol } from '../../compiler/service/symbols.ts';
import { onLlama, scene } from './marks.ts';

const t = suite('whole files');

const spec = onLlama(`  prompt words on layers[late] { length = 10 }
  group writing = words
  task instruct on instructions trains writing`);

t('the outline of declarations and items', () => {
  const s = scene(`${spec}adapter Child extends V2 { override words on layers drop writing }\nparam`);
  const lines = (symbols: readonly OutlineSymbol[]): string[] =>
    symbols.flatMap(({ kind, name, detail, at, span, children }) => {
      const text = s.texts[s.path] ?? '';
      assert.is(text.slice(at.start, at.end), name);
      assert.ok(span.start <= at.start && at.end <= span.end);
      return [`${kind} ${name} ${detail}`.trim(), ...lines(children).map((line) => `  ${line}`)];
    });
  assert.equal(lines(outline(s.workspace, s.path)), [
    'param late last 31 in layers',
    'param early first 1 in layers',
    'adapter V2 on llama7b',
    '  part words prompt on layers[late]',
    '  group writing words',
    '  task instruct trains writing',
    'data instructions alpaca("alpaca.json")',
    'data pairs image_text("pairs.jsonl")',
    'adapter Child extends V2',
    '  override words',
    '  drop writing',
  ]);
  assert.equal(outline(s.workspace, 'nowhere.adapter'), []);
});

t('folds: imports, comments, blocks, also when a brace is missing', () => {
  const s = scene(`import "a.adapter"
import "b.adapter"
// one
// two
param a = 1 // three
param b = 2 // four
adapter X on y {
  prompt p on layers {
    length = 10
  }
  bias b on every norm {
    rate = 1
  }
  scale s on every norm { rate = 1 }
recipe r for X {
  steps = 1
}`);
  assert.equal(
    folds(s.workspace, s.path).map((f) => `${f.kind} ${f.from}-${f.to}`),
    ['imports 0-1', 'comment 2-3', 'block 7-8', 'block 10-11', 'block 14-15'],
  );
});

/** The text with the hints written into it. */
function hinted(text: string): string {
  const s = scene(text);
  return hints(s.workspace, s.path).reduceRight(
    (out, { offset, label }) => `${out.slice(0, offset)}<${label}>${out.slice(offset)}`,
    s.texts[s.path] ?? '',
  );
}

t('hints: what each part adds, at the end of its line', () => {
  const text = onLlama(`  prompt words on layers[late] { length = 10 } // sits late
  bias b on every linear in layers {
    init = 0
  }
  unfreeze norms on every norm
  encoder vision { model = features(width: 8) }
  lora broken on layers.attention.q { rank = 8 }
  task t on instructions trains words + b + norms`);
  const child = 'adapter Child extends V2 { override words on layers[last 1] }';
  const out = hinted(`${text}${child}`);
  for (const line of [
    '  prompt words on layers[late] { length = 10 }<+1,270,752> // sits late',
    '  bias b on every linear in layers {<+1,359,872>\n',
    '  unfreeze norms on every norm<unfreezes 266,240>\n',
    '  encoder vision { model = features(width: 8) }\n',
    '  lora broken on layers.attention.q { rank = 8 }\n',
    'override words on layers[last 1]<+40,992> }',
  ])
    assert.ok(out.includes(line), `${line}\nis not in\n${out}`);
});

/** `word:type` of every token, a declaration with a star. */
function colours(text: string): string[] {
  const s = scene(text);
  const source = s.texts[s.path] ?? '';
  return highlights(s.workspace, s.path).map(
    ({ start, length, type, modifier }) =>
      `${source.slice(start, start + length)}:${type}${modifier === null ? '' : '*'}`,
  );
}

t('highlights: every word by what it is there', () => {
  assert.equal(colours('/// doc\nparam late = last 2 in layers // why'), [
    ...['/// doc:comment*', 'param:keyword', 'late:parameter*', '=:operator', 'last:keyword', '2:number'],
    ...['in:keyword', 'layers:enumMember', '// why:comment'],
  ]);
  const found = colours(`${spec}recipe r for V2 { steps = 10  schedule = cosine(warmup: 2 epochs) }`);
  for (const one of [
    ...[
      '"bases.adapter":string',
      'V2:class*',
      'llama7b:class',
      'prompt:type',
      'words:variable*',
      'layers:namespace',
    ],
    ...['late:parameter', 'length:property', 'writing:variable*', 'words:variable', 'instruct:function*'],
    ...[
      'instructions:variable',
      'alpaca:function',
      'V2:class',
      'warmup:property',
      'epochs:keyword',
      'r:function*',
    ],
  ])
    assert.ok(found.includes(one), `${one} is not among ${found.join(' ')}`);
});

t('highlights: words of the language as attributes, paths, and the whole base', () => {
  const found = colours(
    onLlama('  bias b on layers.attention.{wq, wv} + norm\n  task t on instructions trains base - b.wq'),
  );
  for (const one of ['attention:namespace', 'wv:namespace', 'norm:namespace', 'base:keyword', 'wq:property'])
    assert.ok(found.includes(one), `${one} is not among ${found.join(' ')}`);
  assert.ok(colours('base b { base = 1 }').includes('base:property'));
});

t('quick fixes: at the mistake, and only those that are edits', () => {
  const text = onLlama('  promt words on layers { length = 10 }');
  const at = text.indexOf('promt');
  const s = scene(text);
  const [fix, ...others] = quickFixes(s.workspace, s.path, { start: at + 2, end: at + 2 });
  assert.equal(others, []);
  assert.is(fix?.diagnostic.code, 'A103');
  assert.equal(fix?.fix.edits, [{ span: { file: s.path, start: at, end: at + 5 }, text: 'prompt' }]);
  assert.equal(quickFixes(s.workspace, s.path, { start: 0, end: at - 1 }), []);
});

t('diagnostics are those of the checker, in the file and its imports', () => {
  const s = scene({
    'main.adapter': 'import "other.adapter"\nimport "bases.adapter"\nadapter A on llama7 {}',
    'other.adapter': 'param a =',
  });
  assert.equal(
    diagnose(s.workspace, s.path).map((d) => `${d.span.file} ${d.code}`),
    ['main.adapter A102', 'other.adapter A003'],
  );
});

t.run();
