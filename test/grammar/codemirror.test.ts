/** The CodeMirror mode colours specs as the lexer reads them. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { getIndentation, indentUnit } from '@codemirror/language';
import { EditorState } from '@codemirror/state';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { adapterLanguage } from '../../grammar/codemirror.ts';
import { lex } from '../../grammar/parser.ts';
import * as tokens from '../../grammar/tokens.ts';

const t = suite('CodeMirror mode');
const folder = join(import.meta.dirname, '../../specs');

/** The style at each offset where a coloured token begins, and that token. */
function styles(text: string): ReadonlyMap<number, { readonly style: string; readonly text: string }> {
  const found = new Map<number, { style: string; text: string }>();
  adapterLanguage.parser.parse(text).iterate({
    enter: ({ name, from, to }) => {
      if (name !== 'Document') found.set(from, { style: name, text: text.slice(from, to) });
    },
  });
  return found;
}

for (const spec of readdirSync(folder).filter((file) => file.endsWith('.adapter'))) {
  t(`every keyword, string, number and comment of ${spec} is one`, () => {
    const text = readFileSync(join(folder, spec), 'utf8');
    const found = styles(text);
    const { tokens: lexed, comments } = lex(text);
    const is = (start: number, image: string, style: string): void =>
      assert.equal(found.get(start), { style, text: image });
    for (const { image, startOffset } of comments)
      is(startOffset, image, image.startsWith('///') ? 'docComment' : 'comment');
    lexed.forEach(({ tokenType, startOffset, image }, i) => {
      if (tokenType === tokens.StringToken) is(startOffset, image, 'string');
      if (tokenType === tokens.NumberToken) is(startOffset, image, 'number');
      const [before, after] = [lexed[i - 1]?.tokenType, lexed[i + 1]?.tokenType];
      const isWord = before === tokens.Dot || after === tokens.Equal || after === tokens.Colon;
      if (tokens.keywords.includes(tokenType) && !isWord) is(startOffset, image, 'keyword');
    });
  });
}

t('attributes, arguments, words of a path, names', () => {
  const text = 'param late = first 1\nadapter A on b { bias c on layers.base { base = tanh(on: 1) } }';
  const found = styles(text);
  const style = (word: string, from = 0): string | undefined => found.get(text.indexOf(word, from))?.style;
  assert.is(style('late'), 'variableName.definition');
  assert.is(style('A on'), 'variableName.definition');
  assert.is(style('b {'), 'variableName');
  assert.is(style('base {'), 'propertyName');
  assert.is(style('base ='), 'propertyName');
  assert.is(style('on: 1'), 'propertyName');
  assert.is(style('first'), 'keyword');
});

t('brackets indent, and their closing ones stand back', () => {
  const text = 'adapter A on b {\nprompt p on layers {\nlength = 1\n}\n}';
  const state = EditorState.create({ doc: text, extensions: [adapterLanguage, indentUnit.of('  ')] });
  const starts = [...text.matchAll(/^/gm)].map((m) => m.index);
  assert.equal(
    starts.map((at) => getIndentation(state, at)),
    [0, 2, 4, 2, 0],
  );
});

t('a text that is none is read to its end', () => {
  for (const text of ['§', '"', 'a § b', '{'.repeat(50), '}}}', "'x'", '1..', '///', '# x'])
    assert.is(adapterLanguage.parser.parse(text).length, text.length);
});

t.run();
