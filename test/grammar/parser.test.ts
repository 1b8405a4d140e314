/** Trees: what the parser reads, and that printing a tree and reading it again gives the same tree. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Lexer } from 'chevrotain';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { AdapterDeclaration, Expression } from '../../grammar/ast.ts';
import { lexerConfig, parse, parseExpression } from '../../grammar/parser.ts';
import { printExpression, printFile } from '../../grammar/print.ts';
import { AdapterParser } from '../../grammar/rules.ts';
import { tokens } from '../../grammar/tokens.ts';
import { ValueParser } from '../../grammar/value-rules.ts';

const t = suite('parser');
const specs = join(import.meta.dirname, '../../specs');

t('tokens and rules pass the validations of Chevrotain, which the parser skips at every start', () => {
  assert.equal(new Lexer(tokens, lexerConfig).lexerDefinitionErrors, []);
  assert.not.throws(() => new AdapterParser(true));
  class Ambiguous extends ValueParser {
    twice = this.RULE('twice', () =>
      this.OR([{ ALT: () => this.SUBRULE(this.value) }, { ALT: () => this.SUBRULE1(this.value) }]),
    );
    constructor() {
      super(true);
      this.performSelfAnalysis();
    }
  }
  assert.throws(() => new Ambiguous(), /Ambiguous Alternatives/i);
});

function expression(text: string): Expression {
  const parsed = parseExpression({ file: 'x', text });
  assert.equal(parsed.diagnostics, []);
  return parsed.expression;
}

for (const text of [
  'first 4',
  'last 31 in layers',
  '0..31 by 4',
  '[none, first 1, 0..7 by 2]',
  'early & late',
  'all - (first 2 + last 2)',
  'layers[late].attention.{wq, wv}',
  'layers.3.attention.wq + *.attention_norm + **.w1',
  'every linear in layers[first 4]',
  'tanh(init: 0, per: head)',
  'adamw(lr: 5e-3, betas: [0.9, 0.95], weight_decay: 2%)',
  'cosine(warmup: 2 epochs)',
  '"a \\"quoted\\" line\\n"',
  'base - words',
  '-1',
]) {
  t(`${text} prints as it is written`, () => assert.is(printExpression(expression(text)), text));
}

t('suffixes are applied', () => {
  const value = (text: string) => {
    const e = expression(text);
    return e.kind === 'number' ? e.value : null;
  };
  assert.equal(['5%', '567k', '7B', '512MiB', '3e-4', '1_000', '-2'].map(value), [
    0.05,
    567e3,
    7e9,
    512 * 2 ** 20,
    3e-4,
    1000,
    -2,
  ]);
});

t('operators associate to the left', () => {
  const e = expression('a - b - c');
  assert.ok(e.kind === 'binary' && e.left.kind === 'binary' && e.right.kind === 'path');
});

t('what is written together with a number belongs to it', () => {
  const { diagnostics, file } = parse({ file: 'x', text: 'param a = 512M_' });
  assert.equal(
    diagnostics.map(({ code, message }) => `${code} ${message}`),
    ['A004 `M_` is not a unit that can follow a number'],
  );
  assert.is(file.declarations.length, 1);
});

t('a unit belongs to a number only when no attribute of that name follows', () => {
  const { file, diagnostics } = parse({
    file: 'x',
    text: 'recipe r for A { batch = 2 epochs = 3 schedule = cosine(warmup: 2 epochs) steps = 4 steps }',
  });
  assert.equal(diagnostics, []);
  const recipe = file.declarations[0];
  assert.ok(recipe?.kind === 'recipe');
  assert.equal(
    recipe.fields.map((f) => `${f.name.text} = ${printExpression(f.value)}`),
    ['batch = 2', 'epochs = 3', 'schedule = cosine(warmup: 2 epochs)', 'steps = 4 steps'],
  );
});

t('documents belong to what follows them without a blank line', () => {
  const { file } = parse({
    file: 'x',
    text: '/// away\n\n/// one\n/// two\nparam a = 1 // not this\n/// three\nadapter X on b {\n  /// four\n  bias y on norm\n}\n',
  });
  const [param, adapter] = file.declarations;
  assert.is(param?.doc, 'one\ntwo');
  assert.is(adapter?.doc, 'three');
  assert.is((adapter as AdapterDeclaration).items[0]?.doc, 'four');
  assert.is(file.comments.length, 6);
});

t('a document stands alone on its lines', () => {
  const { file } = parse({
    file: 'x',
    text: 'param a = 1 /// behind a\nparam b = 2\n/// of c  \r\n\f/// and more\rparam c = 3\n/// of d\n// in between\nparam d = 4',
  });
  assert.equal(
    file.declarations.map((d) => d.doc),
    ['', '', 'of c\nand more', ''],
  );
});

t('words that go on with a value may be attributes', () => {
  const { file, diagnostics } = parse({
    file: 'x',
    text: 'recipe r for A { a = first 2 in = 3 b = every norm in = 4 c = 0..7 by = 5 d = 1 steps = 6 e = 1 steps f = 0..7 by 2 }',
  });
  assert.equal(diagnostics, []);
  const [recipe] = file.declarations;
  assert.equal(
    recipe?.kind === 'recipe' && recipe.fields.map((f) => `${f.name.text} = ${printExpression(f.value)}`),
    [
      ...['a = first 2', 'in = 3', 'b = every norm', 'in = 4', 'c = 0..7', 'by = 5', 'd = 1', 'steps = 6'],
      ...['e = 1 steps', 'f = 0..7 by 2'],
    ],
  );
});

t('an index belongs to a name', () => {
  for (const text of ['*[0]', '**[0].w1', 'base[0]', 'layers.*[0]'])
    assert.is(parseExpression({ file: 'x', text }).diagnostics.length, 1, text);
});

t('numbers in a path stay apart, and ranges keep their units', () => {
  for (const text of ['layers.0. 5.wq', '0 epochs..2 epochs by 1 steps'])
    assert.is(printExpression(expression(text)), text);
});

t('a name that is missing is not the next one', () => {
  const [recipe] = parse({ file: 'x', text: 'recipe for A { steps = 1 }' }).file.declarations;
  assert.ok(recipe?.kind === 'recipe');
  assert.equal([recipe.name.text, recipe.adapter.text], ['', 'A']);
});

t('spans cover what was written', () => {
  const text = 'param late = last 31 in layers';
  const param = parse({ file: 'x', text }).file.declarations[0];
  assert.ok(param?.kind === 'param');
  assert.is(text.slice(param.value.span.start, param.value.span.end), 'last 31 in layers');
  assert.is(text.slice(param.span.start, param.span.end), text);
});

for (const spec of readdirSync(specs).filter((f) => f.endsWith('.adapter'))) {
  t(`${spec} survives printing`, () => {
    const once = printFile(parse({ file: spec, text: readFileSync(join(specs, spec), 'utf8') }).file);
    const again = parse({ file: spec, text: once });
    assert.equal(again.diagnostics, []);
    assert.is(printFile(again.file), once);
  });
}

t('one mistake does not hide the next', () => {
  const text =
    'param a = \nparam b = 2\nadapter X on y {\n  prompt p on layers { length 10 }\n  bias b on\n}\nparam = 4\nparam c = 5';
  const { file, diagnostics } = parse({ file: 'x', text });
  assert.equal(
    diagnostics.map((d) => text.slice(0, d.span.start).split('\n').length),
    [2, 4, 6, 7],
  );
  assert.equal(
    file.declarations.flatMap((d) => ('name' in d ? [d.name.text] : [])),
    ['a', 'b', 'X', '', 'c'],
  );
});

t.run();
