/** Command lines that must fail, and the words they must fail with: mistakes of the command line and of the spec. */
import { baseText, spec } from './tiny-project.ts';

export interface Case {
  readonly name: string;
  readonly line: readonly string[];
  readonly code: number;
  /** All of them are in what is printed as errors. */
  readonly says: readonly RegExp[];
  /** Files to write first; a function makes one from the weights of the base. */
  readonly files?: Readonly<Record<string, string | ((weights: Uint8Array) => Uint8Array)>>;
}

/** Cases by the name of their test. */
export const groups = new Map<string, readonly Case[]>();
export const group = (name: string, cases: readonly Case[]): unknown => groups.set(name, cases);

export const train = (file: string, ...rest: string[]): string[] => [
  'train',
  file,
  '--out',
  `run-${file}`,
  ...rest,
];
export const changed = (...changes: readonly [string, string][]): string =>
  changes.reduce((text, [from, to]) => text.replace(from, to), spec);
/** A spec on a base whose declaration is changed. */
export const onBase = (name: string, ...changes: readonly [string, string][]) => ({
  [`${name}.base.adapter`]: changes.reduce((text, [from, to]) => text.replace(from, to), baseText),
  [`${name}.adapter`]: spec.replace('base.adapter', `${name}.base.adapter`),
});

group('command lines that make no sense are answered on one line that names the help', [
  { name: 'no command', line: [], code: 2, says: [] },
  {
    name: 'unknown command',
    line: ['trai', 'spec.adapter'],
    code: 2,
    says: [/no command 'trai'; did you mean 'train'\?/],
  },
  {
    name: 'unknown option',
    line: ['train', 'spec.adapter', '--epoch', '3'],
    code: 2,
    says: [/^graft: there is no option --epoch \(`graft train --help` shows what there is\)\n$/],
  },
  { name: 'no spec', line: ['train'], code: 2, says: [/give one spec/] },
  { name: 'two specs', line: ['build', 'spec.adapter', 'spec.adapter'], code: 2, says: [/give one spec/] },
  {
    name: 'steps',
    line: train('spec.adapter', '--steps', 'many'),
    code: 2,
    says: [/--steps takes a whole number from 1, not `many`/],
  },
  { name: 'no steps', line: train('spec.adapter', '--steps', '0'), code: 2, says: [/--steps/] },
  { name: 'empty steps', line: train('spec.adapter', '--steps', ''), code: 2, says: [/--steps/] },
  {
    name: 'no checkpoints',
    line: train('spec.adapter', '--checkpoint-every', '0'),
    code: 2,
    says: [/--checkpoint-every/],
  },
  { name: 'seed', line: train('spec.adapter', '--seed', '1.5'), code: 2, says: [/--seed/] },
  {
    name: 'set without a value',
    line: train('spec.adapter', '--set', 'length'),
    code: 2,
    says: [/--set takes NAME=VALUE/],
  },
  {
    name: 'stage',
    line: ['build', 'spec.adapter', '--emit', 'ast2'],
    code: 2,
    says: [/--emit takes one of/],
  },
  {
    name: 'profile',
    line: ['build', 'spec.adapter', '--profile', 'software:7'],
    code: 2,
    says: [/software:7/],
  },
  {
    name: 'batch',
    line: ['build', 'spec.adapter', '--profile', 'gpu', '--batch', '0'],
    code: 2,
    says: [/--batch/],
  },
  {
    name: 'tokens',
    line: ['build', 'spec.adapter', '--profile', 'gpu', '--tokens', 'x'],
    code: 2,
    says: [/--tokens takes a whole number from 1/],
  },
  { name: 'nothing to answer', line: ['generate', 'spec.adapter'], code: 2, says: [/--ask/, /--prompt/] },
  {
    name: 'max-tokens',
    line: ['generate', 'spec.adapter', '--prompt', 'a', '--max-tokens', '-1'],
    code: 2,
    says: [/--max-tokens/],
  },
]);

group('mistakes in a spec are all reported, with their places', [
  {
    name: 'several mistakes',
    files: {
      'broken.adapter': changed(
        ['layers[last 1]', 'layers[last 7]'],
        ['{wq, wv}', '{wq, wz}'],
        ['trains low', 'trains lwo'],
        ['batch = 2', 'batch = two'],
      ),
    },
    line: train('broken.adapter'),
    code: 1,
    says: [
      /broken\.adapter:6/,
      /last 7/,
      /broken\.adapter:7/,
      /wz/,
      /broken\.adapter:9/,
      /`lwo`/,
      /did you mean `low`/,
      /broken\.adapter:17/,
      /has 4 errors/,
    ],
  },
  { name: 'build says the same', line: ['build', 'broken.adapter'], code: 1, says: [/has 4 errors/] },
  {
    name: 'a kind',
    files: { 'kind.adapter': changed(['lora   low', 'lara   low']) },
    line: train('kind.adapter'),
    code: 1,
    says: [/lara/, /lora/],
  },
  {
    name: 'syntax',
    files: { 'syntax.adapter': `${spec}\nadapter {` },
    line: train('syntax.adapter'),
    code: 1,
    says: [/syntax\.adapter:20/],
  },
  { name: 'no such spec', line: train('nowhere.adapter'), code: 1, says: [/cannot read nowhere\.adapter/] },
  {
    name: 'no such adapter',
    line: ['train', 'spec.adapter:Pairs', '--out', 'x'],
    code: 1,
    says: [/no adapter `Pairs`/, /did you mean `Pair`/],
  },
  {
    name: 'no such recipe',
    line: train('spec.adapter', '--recipe', 'shorts'),
    code: 1,
    says: [/no recipe `shorts`/, /`short`/],
  },
  {
    name: 'unknown param',
    line: train('spec.adapter', '--set', 'lenght=4'),
    code: 1,
    says: [/lenght/, /length/],
  },
  {
    name: 'a param of another type',
    line: train('spec.adapter', '--set', 'length=-4'),
    code: 1,
    says: [/-4/],
  },
]);
