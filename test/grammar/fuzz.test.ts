/** Whatever the text, checking it ends and throws nothing: 2,000 mutations of real specs, the same in every run. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSpec } from '../../compiler/check/check.ts';
import { memoryHost } from '../../compiler/host.ts';
import type { Base } from '../../compiler/model/model.ts';
import { parse } from '../../grammar/parser.ts';
import { renderDiagnostic } from '../../grammar/render.ts';

const t = suite('fuzz');
const folder = join(import.meta.dirname, '../../specs');
const specs = readdirSync(folder).map((f) => readFileSync(join(folder, f), 'utf8'));
// The base is replaced below, so the imported ones only have to be there.
const bases = ['llama7b', 'llama13b', 'llama65b']
  .map((n) => `base ${n} { layers = 1 dim = 2 heads = 1 ffn = 1 vocab = 1 }`)
  .join('\n');
const pieces = specs.flatMap((s) => s.match(/\w+|[^\s\w]+/g) ?? []);

/** A small deterministic generator, so that a failure can be found again by its number. */
function generator(seed: number): (below: number) => number {
  let state = seed * 2654435761 + 1;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function mutate(text: string, random: (below: number) => number): string {
  const at = random(text.length);
  const end = Math.min(text.length, at + 1 + random(12));
  const piece = pieces[random(pieces.length)] ?? '';
  switch (random(6)) {
    case 0:
      return text.slice(0, at) + text.slice(end);
    case 1:
      return text.slice(0, at) + piece + text.slice(at);
    case 2:
      return (
        text.slice(0, at) + String.fromCharCode(random(random(20) === 0 ? 0xffff : 127)) + text.slice(at)
      );
    case 3:
      return text.slice(0, at) + text.slice(at, end).repeat(1 + random(3)) + text.slice(at);
    case 4:
      return text.slice(0, at) + ` ${piece} ` + text.slice(end);
    default:
      return text.slice(0, at);
  }
}

/** Few layers, so that the time goes into reading and not into listing parameters. */
const base: Base = {
  ...{
    name: 'tiny',
    family: 'llama',
    layers: 3,
    dim: 24,
    heads: 4,
    kvHeads: 2,
    headDim: 6,
    ffn: 40,
    vocab: 50,
  },
  ...{ context: 64, normEps: 1e-5, rope: { style: 'interleaved', theta: 10000 }, tied: false },
};

t('2,000 broken specs', () => {
  for (let seed = 0; seed < 2000; seed++) {
    const random = generator(seed);
    let text = specs[random(specs.length)] ?? '';
    for (let n = 1 + random(4); n > 0 && text !== ''; n--) text = mutate(text, random);
    const started = performance.now();
    try {
      const host = memoryHost({ 'x.adapter': text, 'bases.adapter': bases });
      const { diagnostics, sources } = checkSpec('x.adapter', host, { base });
      for (const d of diagnostics) {
        assert.ok(
          d.message.length > 0 && d.span.start <= d.span.end && d.span.start >= 0,
          `a span that is none: ${d.code}`,
        );
        renderDiagnostic(d, sources);
      }
    } catch (e) {
      throw new Error(`mutation ${seed}:\n${text}`, { cause: e });
    }
    assert.ok(performance.now() - started < 2000, `mutation ${seed} took too long`);
  }
});

t('texts that are no specs at all', () => {
  const odd = [
    '',
    '\0',
    '{'.repeat(5000),
    '('.repeat(5000),
    '['.repeat(90),
    'a'.repeat(1e5),
    '"',
    "'",
    '//',
    '\\',
    '1..',
    '..',
  ];
  const long = [
    'param a = 1' + ' + 1'.repeat(5000),
    'param a = b'.repeat(500),
    'adapter '.repeat(1000),
    '}'.repeat(1000),
  ];
  for (const text of [...odd, ...long, '\ufeffparam a = 1', 'param a = 1\r\nparam b = 2\r\n']) {
    parse({ file: 'x', text });
    checkSpec('x', memoryHost({ x: text }));
  }
});

t.run();
