/** Command lines that a sceptic types first: absurd numbers, a file for a folder, a spec without an adapter. */
import { group, onBase, train } from './cases.ts';

const generate = (...options: string[]): string[] => [
  'generate',
  'spec.adapter',
  '--prompt',
  'a',
  ...options,
];

group('a spec that declares no adapter says so, whatever is asked of it', [
  ...[
    train('base.adapter'),
    ['build', 'base.adapter'],
    ['generate', 'base.adapter', '--prompt', 'a'],
    ['merge', 'base.adapter', '--adapter', 'x', '--out', 'x.safetensors'],
    ['diff', 'spec.adapter', 'base.adapter'],
  ].map((line) => ({
    name: line[0] ?? '',
    line,
    code: 1,
    says: [/base\.adapter declares no adapter/, /write `adapter NAME on BASE/],
  })),
  { name: 'check', line: ['check', 'spec.adapter:Pairs'], code: 2, says: [/has no adapter 'Pairs'/] },
]);

group('numbers that make no sense name their option', [
  { name: 'temperature', line: generate('--temperature', 'x'), code: 2, says: [/--temperature takes .*`x`/] },
  { name: 'nothing', line: generate('--temperature', ''), code: 2, says: [/--temperature takes a number/] },
  { name: 'infinite', line: generate('--temperature', '1e400'), code: 2, says: [/--temperature/] },
  { name: 'top-p', line: generate('--top-p', '2'), code: 2, says: [/--top-p takes a number from 0 to 1/] },
  { name: 'no top-p', line: generate('--top-p', '0'), code: 1, says: [/top-p of 0/] },
  { name: 'top-k', line: generate('--top-k', ' '), code: 2, says: [/--top-k takes a whole number/] },
  { name: 'seed', line: generate('--seed', '9'.repeat(20)), code: 2, says: [/--seed takes a whole number/] },
  {
    name: 'batch',
    line: ['build', 'spec.adapter', '--batch', '1e15'],
    code: 2,
    says: [/--batch .* to 65536/],
  },
]);

group('sizes that nobody has are refused before anything is planned with them', [
  {
    name: 'layers and context',
    files: onBase('vast', ['layers = 2', 'layers = 1e9'], ['context = 48', 'context = 1e12']),
    line: ['check', 'vast.adapter'],
    code: 1,
    says: [/1e9 is out of range/, /from 1 to 4096/, /1e12 is out of range/, /from 1 to 1048576/],
  },
]);

group('a package does not take the place of a file', [
  {
    name: 'a file for a folder',
    files: { thesis: 'years of work' },
    line: ['build', 'spec.adapter', '--profile', 'gpu', '--out', 'thesis'],
    code: 1,
    says: [/thesis is a file/, /nothing is overwritten/],
  },
]);
