/** Texts that go on for ever: deep, long, circular or odd ones get an answer, and a clear one. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSpec } from '../../compiler/check/check.ts';
import { memoryHost } from '../../compiler/host.ts';
import { assertHolds } from './properties.ts';

const t = suite('limits');

/** The codes a text is reported with, after everything else that holds for it. */
async function codesOf(text: string): Promise<string[]> {
  await assertHolds(text);
  return checkSpec('x', memoryHost({ x: text })).diagnostics.map((d) => d.code);
}

for (const text of [
  ...[
    '',
    '\0',
    'a'.repeat(1e5),
    '"',
    "'",
    '//',
    '\\',
    '1..',
    '..',
    '\ufeffparam a = 1',
    '\u2028\u00a0\f// \u2029',
  ],
  ...[
    'param a = 1\r\nparam b = 2\r\n',
    'param a = 1\rparam b = 2 // \r/// \rparam c = 3',
    '\ud800',
    '}'.repeat(1000),
  ],
  ...[
    'param a = 1' + ' + 1'.repeat(900),
    'param a = b'.repeat(500),
    'adapter '.repeat(1000),
    'param = '.repeat(1000),
  ],
]) {
  t(`an odd text: ${JSON.stringify(text.slice(0, 30))}`, async () => void (await codesOf(text)));
}

t('nesting is bounded, and said so', async () => {
  for (const open of ['(', '[', 'f(', 'a[', 'first 1 in ', 'every , x in ', '[1 + (']) {
    assert.equal(await codesOf(`param a = ${open.repeat(5000)}`), ['A007'], open);
    await codesOf(`param a = ${open.repeat(90)}`);
  }
  assert.equal(await codesOf(`param a = ${'('.repeat(5000)}1${')'.repeat(5000)}`), ['A007']);
  assert.equal(await codesOf(`param a = ${'('.repeat(99)}1${')'.repeat(99)}`), []);
  assert.equal(await codesOf(`param a = 1${' + 1'.repeat(5000)}`), ['A007']);
  assert.equal(await codesOf(`adapter X on y ${'{'.repeat(5000)}`), ['A102', 'A003']);
});

/** Diagnostics as one line each. */
const shown = (files: Readonly<Record<string, string>>): string[] =>
  checkSpec('a', memoryHost(files)).diagnostics.map((d) =>
    [`${d.code} ${d.span.file}: ${d.message}`, ...d.notes].join('; '),
  );

/** A text of five million characters. */
const fiveMillion = (line: (i: number) => string): string => {
  const lines: string[] = [];
  for (let i = 0, length = 0; length < 5e6; i++) {
    lines.push(line(i));
    length += lines[i]?.length ?? 0;
  }
  return lines.join('\n');
};

t('a spec of five megabytes is read, and so are five megabytes of nonsense', () => {
  const codesIn = (text: string): Set<string> =>
    new Set(checkSpec('x', memoryHost({ x: text })).diagnostics.map((d) => d.code));
  const params = fiveMillion((i) => `/// A place.\nparam p${i} = [first ${i}, 0..7 by 2]  // ${i}`);
  assert.equal(codesIn(params), new Set());
  assert.equal(codesIn(`${params}\nparam p1 = 1`), new Set(['A101']));
  assert.equal(codesIn(fiveMillion((i) => (i % 2 === 0 ? '}}}}}}}}' : '#;:/'))), new Set(['A001', 'A006']));
});

t('files that import each other', () => {
  const files = {
    a: 'import "b"\nparam x = 1',
    b: 'import "c"\nparam y = x',
    c: 'import "b"\nimport "c"\nimport "a"\nparam z = y',
  };
  assert.equal(shown(files), [
    'A108 c: imports go in a circle; b imports c imports b',
    'A108 c: imports go in a circle; c imports c',
    'A108 c: imports go in a circle; a imports b imports c imports a',
  ]);
});

t('params that refer to themselves', () => {
  const own = ['x = x', 'y = [y]', 'z = first z in layers[z]', 'w = f(a: w + 1)'];
  assert.equal(
    shown({ a: own.map((p) => `param ${p}`).join('\n') }),
    ['x', 'y', 'z', 'w'].map((n) => `A116 a: the param \`${n}\` refers to itself`),
  );
  assert.equal(shown({ a: 'param c = a\nparam a = b\nparam b = [a, c, b]' }), [
    'A116 a: the param `c` refers to itself; `c` needs `a` needs `b` needs `c`',
    'A116 a: the param `a` refers to itself; `a` needs `b` needs `a`',
    'A116 a: the param `b` refers to itself',
  ]);
  const around = Array.from({ length: 50 }, (_, i) => `param p${i} = p${(i + 1) % 50}`).join('\n');
  assert.equal(shown({ a: around }), [
    'A116 a: the param `p0` refers to itself; `p0` needs `p1` needs `p2` needs `p3` needs ... needs `p48` needs `p49` needs `p0`',
  ]);
});

/** `count` lines, each made of its number and the next. */
const chain = (count: number, line: (here: number, next: number) => string): string[] =>
  Array.from({ length: count }, (_, i) => line(i, i + 1));

const small = 'base b { layers = 8  dim = 8  heads = 2  ffn = 8  vocab = 8 }\n';
const uses = (name: string): string =>
  `${small}adapter X on b { prompt p on layers[${name}] { length = 1 } }\n`;

t('params, groups and adapters that stand on too many others', () => {
  // Worked out naively, the first of these has 2^200 values.
  const doubled = chain(200, (i, next) => `param p${i} = [p${next}, p${next}]`);
  const long = chain(5000, (i, next) => `param p${i} = p${next}`);
  const groups = chain(5000, (i, next) => `group g${i} = ${next === 5000 ? 'q' : `g${next}`}`);
  const adapters = chain(3000, (i, next) => `adapter A${i} extends A${next} {}`);
  const codesIn = (text: string): string[] => [...new Set(shown({ a: text }).map((d) => d.slice(0, 4)))];
  for (const lines of [doubled, doubled.toReversed(), long, long.toReversed()])
    assert.equal(codesIn(`${uses('p0')}param p${lines.length} = 1\n${lines.join('\n')}`), ['A007']);
  assert.equal(codesIn(`${small}adapter X on b { bias q on norm ${groups.join('\n')} }`), ['A007']);
  for (const lines of [adapters, adapters.toReversed()])
    assert.equal(codesIn(`${small}adapter A3000 on b {}\n${lines.join('\n')}`), ['A007']);
});

t.run();
