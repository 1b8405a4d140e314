/** Sweeps: that they vary what exists, within what the base has. Running them is not the compiler's work. */
import type { Expression, SweepDeclaration } from '../../grammar/ast.ts';
import type { BaseEnv } from './env.ts';
import { attributeTwice, unknownChoice, wrongType } from './messages/fields.ts';
import { unknownName, unknownSwept } from './messages/names.ts';
import { layersOf } from './layers.ts';
import { namesIn } from './scope.ts';

/** What a sweep can record of each run. */
export const measures: readonly string[] = ['loss', 'accuracy', 'parameters', 'flops', 'memory', 'time'];

/** Checks a sweep over an adapter that stands on `env.base`. */
export function checkSweep(env: BaseEnv, sweep: SweepDeclaration): void {
  const seen = new Map<string, SweepDeclaration['fields'][number]>();
  for (const field of sweep.fields) {
    const first = seen.get(field.name.text);
    if (first !== undefined) env.report(attributeTwice(field.name, first.name));
    seen.set(field.name.text, field);
    if (field.value.kind === 'missing') continue;
    if (field.value.kind !== 'list')
      env.report(wrongType(field.value, { kind: 'list', of: { kind: 'number' } }));
    else if (field.name.text === 'measure') checkMeasures(env, field.value.items);
    else if (field.name.text === 'seed' || env.scope.params.has(field.name.text)) {
      field.value.items.forEach((item) => checkValue(env, item));
    } else env.report(unknownSwept(field.name, ['seed', 'measure', ...env.scope.params.keys()]));
  }
  for (const condition of sweep.conditions) {
    layersOf(env, condition.left);
    layersOf(env, condition.right);
  }
}

function checkMeasures(env: BaseEnv, items: readonly Expression[]): void {
  for (const item of items) {
    const [name] = namesIn(item);
    if (name === undefined) env.report(wrongType(item, { kind: 'choice', choices: measures }));
    else if (!measures.includes(name.text)) env.report(unknownChoice(name, measures));
  }
}

/** A value that can only be layers has to be layers of this base; others are checked when they are used. */
function checkValue(env: BaseEnv, item: Expression): void {
  if (['edge', 'range', 'binary'].includes(item.kind)) layersOf(env, item);
  else if (item.kind === 'path') {
    for (const name of namesIn(item)) {
      if (/^[a-z_]+$/.test(name.text) && !knownWord(env, name.text)) {
        env.report(unknownName(name, ['all', 'none', ...env.scope.params.keys()], 'value'));
      }
    }
  }
}

const words = [
  'all',
  'none',
  'true',
  'false',
  'layers',
  'head',
  'layer',
  'const',
  'separate',
  'input',
  'output',
  'raw',
  'tanh',
  'alpaca',
  'linear',
  'mlp',
  'tokens',
  'class',
  'prompt',
];

const knownWord = (env: BaseEnv, text: string): boolean => words.includes(text) || env.scope.params.has(text);
