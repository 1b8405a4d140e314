/** The TextMate grammar: what is checked in is what the token table gives, and it colours every spec. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import oniguruma from 'vscode-oniguruma';
import textmate, { type IGrammar } from 'vscode-textmate';
import { lex } from '../../grammar/parser.ts';
import { textmateGrammar } from '../../grammar/textmate.ts';
import * as tokens from '../../grammar/tokens.ts';

const t = suite('TextMate grammar');
const root = join(import.meta.dirname, '../..');
const path = join(root, 'grammar/vscode/syntaxes/adapter.tmLanguage.json');
const specs = ['specs', 'examples/base', 'examples/fusion', 'test/fixtures/diagnostics'].flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((file) => file.endsWith('.adapter'))
    .map((file) => join(root, folder, file)),
);

let loaded: Promise<IGrammar | null> | undefined;

/** The grammar as VS Code reads it. */
function grammar(): Promise<IGrammar | null> {
  const wasm = createRequire(import.meta.url).resolve('vscode-oniguruma/release/onig.wasm');
  const onigLib = oniguruma.loadWASM(readFileSync(wasm)).then(() => ({
    createOnigScanner: (patterns: string[]) => new oniguruma.OnigScanner(patterns),
    createOnigString: (text: string) => new oniguruma.OnigString(text),
  }));
  const registry = new textmate.Registry({
    onigLib,
    loadGrammar: async () => textmate.parseRawGrammar(readFileSync(path, 'utf8'), path),
  });
  return (loaded ??= registry.loadGrammar('source.adapter'));
}

/** For every character of a text the scopes it has, the outermost first. */
async function scopesIn(text: string): Promise<(offset: number) => readonly string[]> {
  const it = await grammar();
  assert.ok(it);
  const scopes: (readonly string[])[] = [];
  let stack = textmate.INITIAL;
  for (const line of text.split('\n')) {
    const result = it.tokenizeLine(line, stack);
    stack = result.ruleStack;
    for (const token of result.tokens)
      for (let i = token.startIndex; i < Math.min(token.endIndex, line.length); i++)
        scopes.push(token.scopes);
    scopes.push([]);
  }
  return (offset) => scopes[offset] ?? [];
}

t('the file is what the token table gives', () => {
  const made: unknown = JSON.parse(JSON.stringify(textmateGrammar()));
  if (process.env['UPDATE'] === '1') writeFileSync(path, `${JSON.stringify(made, null, 2)}\n`);
  assert.equal(JSON.parse(readFileSync(path, 'utf8')), made);
});

for (const spec of specs) {
  t(`every keyword, string, number and comment of ${spec.slice(root.length + 1)} has its scope`, async () => {
    const text = readFileSync(spec, 'utf8').replaceAll('\r\n', '\n');
    const at = await scopesIn(text);
    const lexed = lex(text);
    const has = (offset: number, scope: string): void => {
      const line = text.slice(0, offset).split('\n').length;
      assert.ok(
        at(offset).some((s) => s.startsWith(scope)),
        `line ${line}: ${scope}, not ${at(offset).join(' ')}`,
      );
    };
    for (const { image, startOffset } of lexed.comments)
      has(startOffset, /^\/\/\/(?!\/)/.test(image) ? 'comment.line.documentation' : 'comment.line');
    lexed.tokens.forEach(({ tokenType, startOffset, image }, i) => {
      const [before, after] = [lexed.tokens[i - 1]?.tokenType, lexed.tokens[i + 1]?.tokenType];
      const last = startOffset + image.length - 1;
      if (tokenType === tokens.StringToken)
        for (const place of [startOffset, last]) has(place, 'string.quoted');
      if (tokenType === tokens.NumberToken)
        for (const place of [startOffset, last]) has(place, 'constant.numeric');
      const isWord = before === tokens.Dot || after === tokens.Equal || after === tokens.Colon;
      if (tokens.keywords.includes(tokenType) && !isWord) has(startOffset, 'keyword.');
    });
  });
}

t('words by where they stand', async () => {
  const text = `adapter V2 on llama7b {
  prompt words on layers[late] { length = 10  gate = tanh(init: 0, per: head) }
  bias b on layers.attention.{wq} + layers.3.base
  task t on d trains base { base = 2 epochs  batch = 3 }
}`;
  const at = await scopesIn(text);
  const scope = (word: string, from = 0): string => at(text.indexOf(word, from)).at(-1) ?? '';
  assert.equal(
    ['V2', 'prompt', 'words', 'length', 'tanh', 'init', 'attention', 'epochs', 'batch'].map((w) => scope(w)),
    [
      ...['entity.name.type.adapter', 'support.type.adapter', 'variable.other.readwrite.adapter'],
      ...[
        'variable.other.property.adapter',
        'entity.name.function.call.adapter',
        'variable.parameter.adapter',
      ],
      ...['variable.other.member.adapter', 'keyword.other.unit.adapter', 'variable.other.property.adapter'],
    ],
  );
  assert.is(scope('base'), 'variable.other.member.adapter');
  assert.is(scope('base', text.indexOf('trains')), 'keyword.other.adapter');
  assert.is(scope('base', text.indexOf('{ base')), 'variable.other.property.adapter');
});

t.run();
