/** Fixes: what they make of a spec, and that they never leave it worse. */
import { readFileSync, readdirSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSpec } from '../../compiler/check/check.ts';
import { catalogue } from '../../compiler/check/diagnostics/index.ts';
import { fixSpec, type Fixed } from '../../compiler/check/fix.ts';
import { memoryHost, type Host } from '../../compiler/host.ts';
import { items, onLlama, specs } from './fix-cases.ts';

const t = suite('fixes');
const bases = readFileSync(new URL('../../specs/bases.adapter', import.meta.url), 'utf8');
const hostOf = (text: string): Host => memoryHost({ 'x.adapter': text, 'bases.adapter': bases });

function fix(text: string): Fixed {
  const fixed = fixSpec('x.adapter', hostOf(text));
  assert.ok(fixed);
  return fixed;
}

const errors = ({ diagnostics }: Pick<Fixed, 'diagnostics'>): string[] =>
  diagnostics.filter((d) => d.severity === 'error').map((d) => `${d.code} ${d.message}`);

/** Codes whose example has a fix. */
const fixable = catalogue.filter(({ bad }) =>
  checkSpec('x.adapter', hostOf(bad)).diagnostics.some((d) => (d.fix?.edits.length ?? 0) > 0),
);

for (const code of fixable) {
  t(`${code.code} ${code.title}`, () => {
    const fixed = fix(code.bad);
    assert.equal(
      errors(fixed).filter((e) => e.startsWith(code.code)),
      [],
    );
    assert.ok(fixed.applied.length > 0);
    assert.equal(fix(fixed.text).text, fixed.text, 'a second time changes nothing');
  });
}

t('most codes have a fix', () => assert.ok(fixable.length >= 35, fixable.map((c) => c.code).join(' ')));

for (const { code, good } of catalogue)
  t(`${code}: the good example is left alone`, () => assert.is(fix(good).text, good));

for (const [name, bad, good] of items)
  t(name, () => {
    const fixed = fix(onLlama(bad));
    assert.is(fixed.text, onLlama(good));
    assert.equal(errors(fixed), []);
  });

for (const [name, bad, good] of specs)
  t(name, () => {
    const fixed = fix(bad);
    assert.is(fixed.text, good);
    assert.equal(errors(fixed), []);
  });

t('one mistake behind another, and those that hide others', () => {
  const fixed = fix('adaptor X on llama7 {\n  prmpt p on layers { lenght = 4 }\n}\nimport "bases.adapter"\n');
  assert.is(
    fixed.text,
    'adapter X on llama7b {\n  prompt p on layers { length = 4 }\n}\nimport "bases.adapter"\n',
  );
  assert.is(fixed.applied.length, 4);
});

t('as a new user would write it', () => {
  const fixed = fix(`base tiny {
  n_layers = 22, hidden_size = 2048, n_heads = 32, kv_heads = 4, ffn = 5632, vocab_size = 32000
}
data d = json(x.json)
adapter my-lora on tiny {
  lora l on layers[-4:].self_attn.{q_proj, v_proj} { r = 16, alpha = 32, dropout = 0.05 }
  lora k on [k_proj, w2] { r = 8 }
  prompt p on layers[0:4] { tokens = 10, gate = "tanh" }
  encoder e { model = "openai/clip-vit-large-patch14" }
  project v from e { type = mlp }
  prompt i on layers[4:6] from v
  task t on d trains l, p
}
recipe r for my-lora { lr = 2e-4, epochs = 3, batch_size = 4, warmup = 100 }
`);
  assert.is(
    fixed.text,
    `base tiny {
  layers = 22 dim = 2048 heads = 32 kv_heads = 4 ffn = 5632 vocab = 32000
}
data d = instructions("x.json")
adapter my_lora on tiny {
  lora l on layers[last 4].attention.{wq, wv} { rank = 16 alpha = 32 }
  lora k on layers.attention.wk + layers.feed_forward.w2 { rank = 8 }
  prompt p on layers[0..3] { length = 10 gate = tanh }
  encoder e { model = clip("openai/clip-vit-large-patch14") }
  project v from e { kind = mlp }
  prompt i on layers[4..5] from v
  task t on d trains l + p
}
recipe r for my_lora { optimizer = adamw(lr: 2e-4) epochs = 3 batch = 4 schedule = cosine(warmup: 100) }
`,
  );
  assert.equal(errors(fixed), []);
});

t('a fix that leaves as many errors is taken back', () => {
  // `wordz` is near to both; what it is taken for is a group, which has no `gate`.
  const spec = onLlama('bias b on every linear\n  group writing = b\n  group other = writin.gate');
  const fixed = fix(spec);
  assert.is(fixed.text, spec);
  assert.is(fixed.applied.length, 0);
  assert.is(fixed.reverted.length, 1);
});

t(
  'specs with words taken out, doubled or swapped: never worse, and the second time nothing is left to do',
  () => {
    const folder = new URL('../../specs/', import.meta.url);
    const texts = readdirSync(folder)
      .filter((file) => file.endsWith('.adapter'))
      .map((file) => readFileSync(new URL(file, folder), 'utf8'));
    let seed = 1;
    const below = (n: number): number => {
      seed = (seed * 48271) % 2147483647;
      return seed % n;
    };
    for (let i = 0; i < 120; i++) {
      const words = (texts[i % texts.length] ?? '').split(/(\s+|[{}()[\],.=])/);
      for (let j = 0; j <= i % 3; j++) {
        const [a, b] = [below(words.length), below(words.length)];
        const change = [[], [words[a] ?? '', words[a] ?? ''], [words[b] ?? '']][below(3)] ?? [];
        words.splice(a, 1, ...change);
      }
      const text = words.join('');
      const before = checkSpec('x.adapter', hostOf(text));
      const fixed = fix(text);
      if (fixed.text === text) continue;
      const syntax = (e: readonly string[]): number => e.filter((line) => line < 'A1').length;
      const [was, is] = [errors(before), errors(fixed)];
      assert.ok(is.length < was.length || syntax(is) < syntax(was) || is.length === 0 || hidden(was), text);
      assert.is(fix(fixed.text).text, fixed.text, text);
    }
  },
);

/** Whether there is an error behind which others may come to light. */
const hidden = (found: readonly string[]): boolean =>
  found.some((line) => /^A(0|102|103|107|111|115)/.test(line));

t('imported files are left alone', () => {
  const host = memoryHost({
    'x.adapter': 'import "y.adapter"\nadapter X on tiny {}\n',
    'y.adapter': 'base tiny { layer = 2  dim = 8  heads = 2  ffn = 16  vocab = 10 }\n',
  });
  const fixed = fixSpec('x.adapter', host);
  assert.is(fixed?.applied.length, 0);
  assert.ok((fixed?.diagnostics.length ?? 0) > 0);
});

t('warnings are choices', () => {
  const spec = onLlama('bias b on every linear\n  scale s on every linear\n  task t on some trains b');
  assert.is(fix(spec).text, spec);
});

t('no file, no fix', () => assert.is(fixSpec('y.adapter', hostOf('')), null));

t.run();
