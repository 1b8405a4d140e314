/** Recipes: how the tasks of an adapter take turns and how they are optimised. */
import type { Expression, RecipeDeclaration } from '../../grammar/ast.ts';
import { choice, number, orNone, times, whole } from '../kinds/fields.ts';
import type { Field, FieldType } from '../kinds/kind.ts';
import type { FieldValue } from '../model/model.ts';
import { callOf, isCall, numberOf } from '../model/values.ts';
import type { Duration, Recipe } from '../model/recipe.ts';
import type { Env } from './env.ts';
import type { Values } from './checked.ts';
import { readFields } from './fields.ts';
import {
  idleMix,
  longWarmup,
  noDuration,
  twoDurations,
  unknownTask,
  untrainedTask,
} from './diagnostics/recipes.ts';

const share = number(0, 1);
const positive: FieldType = { kind: 'number', above: 0 };
/** At 1 a moment would be divided by 1 - 1. */
const decay: FieldType = { kind: 'number', min: 0, below: 1 };
/** The least `eps`: well above what 32 bits take for zero, so that 0/0 never comes up. */
const leastEps = 1e-30;
const duration = { kind: 'duration' } as const;
const steps = (value: number): FieldValue => ({ call: 'duration', args: { value, unit: 'steps' } });

const schedule: Readonly<Record<string, Field>> = {
  warmup: { type: duration, default: steps(0), doc: 'The learning rate rises from zero for so long.' },
  floor: { type: share, default: 0, doc: 'What is left of the learning rate at the end.' },
};

/** The attributes of a recipe. */
export const recipeFields: Readonly<Record<string, Field>> = {
  mix: {
    type: { kind: 'call', rest: number(0), calls: { alternate: {}, proportional: {}, staged: {} } },
    default: { call: 'alternate', args: {} },
    doc: 'How tasks take turns: so many steps of each in turn, drawn in a ratio, or one after the other. Alone: one step each.',
  },
  optimizer: {
    type: {
      kind: 'call',
      calls: {
        adamw: {
          lr: { type: number(0), default: 1e-3, doc: 'Learning rate.', idle: 'nothing is trained' },
          betas: {
            type: { kind: 'list', of: decay, length: 2 },
            default: [0.9, 0.95],
            doc: 'Decay of the first and second moment.',
          },
          eps: { type: number(leastEps), default: 1e-8, doc: 'Added to the root of the second moment.' },
          weight_decay: { type: share, default: 0.02, doc: 'Weight decay of matrices.' },
        },
      },
    },
    default: { call: 'adamw', args: { lr: 1e-3, betas: [0.9, 0.95], eps: 1e-8, weight_decay: 0.02 } },
    doc: 'The optimizer.',
  },
  schedule: {
    type: { kind: 'call', calls: { cosine: schedule, linear: schedule, constant: schedule } },
    default: { call: 'cosine', args: { warmup: steps(0), floor: 0 } },
    doc: 'How the learning rate changes.',
  },
  epochs: { type: orNone(positive), default: null, doc: 'Passes over the data; or write `steps`.' },
  steps: { type: orNone(whole(1)), default: null, doc: 'Optimizer steps; or write `epochs`.' },
  batch: { type: whole(1, 2 ** 16), default: 32, doc: 'Sequences in one micro-batch.' },
  accumulate: { type: times, default: 1, doc: 'Micro-batches to one optimizer step.' },
  average: {
    type: choice('labels', 'batches'),
    default: 'labels',
    doc: 'What the loss of a step is the mean of: all labels of its micro-batches, or the mean losses of its micro-batches.',
  },
  clip: { type: orNone(positive), default: null, doc: 'Bound on the norm of all gradients.' },
  seed: { type: whole(0), default: 0, doc: 'Of the initial numbers and the order of the data.' },
};

/** The recipe for an adapter with these tasks, or null after reporting what is wrong. */
export function readRecipe(
  env: Env,
  declaration: RecipeDeclaration,
  tasks: readonly string[],
): Recipe | null {
  const read = readFields(env, declaration.fields, recipeFields, 'recipe', declaration.name.span);
  const mix = checkMix(env, declaration, read, tasks);
  const { epochs = null, steps: count = null } = read.values;
  if (!read.ok || mix === null) return null;
  if (epochs === null && count === null) {
    env.report(noDuration(declaration));
    return null;
  }
  if (epochs !== null && count !== null) {
    env.report(twoDurations(declaration.name, read.written.get('epochs'), read.written.get('steps')));
    return null;
  }
  const { values } = read;
  const scheduled = callOf(values['schedule']);
  const warmup = durationOf(scheduled.args['warmup']);
  const length: Duration =
    epochs === null ? { value: numberOf(count), unit: 'steps' } : { value: numberOf(epochs), unit: 'epochs' };
  // A warm-up in the other unit can be compared when the data is known: the run says it then.
  if (warmup.unit === length.unit && warmup.value > length.value)
    env.report(longWarmup(read.written.get('schedule')?.value.span ?? declaration.name.span, warmup, length));
  const optimizer = callOf(values['optimizer']).args;
  const betas = Array.isArray(optimizer['betas']) ? (optimizer['betas'] as readonly FieldValue[]) : [];
  const clip = values['clip'] ?? null;
  return {
    name: declaration.name.text,
    mix,
    optimizer: {
      lr: numberOf(optimizer['lr']),
      betas: [numberOf(betas[0]), numberOf(betas[1])],
      eps: numberOf(optimizer['eps']),
      weightDecay: numberOf(optimizer['weight_decay']),
    },
    schedule: {
      kind: scheduled.call === 'linear' || scheduled.call === 'constant' ? scheduled.call : 'cosine',
      warmup,
      floor: numberOf(scheduled.args['floor']),
    },
    epochs: epochs === null ? null : numberOf(epochs),
    steps: count === null ? null : numberOf(count),
    batch: numberOf(values['batch']),
    accumulate: numberOf(values['accumulate']),
    average: values['average'] === 'batches' ? 'batches' : 'labels',
    clip: clip === null ? null : numberOf(clip),
    seed: numberOf(values['seed']),
    span: declaration.span,
  };
}

function durationOf(value: FieldValue | undefined): Duration {
  const { args } = callOf(value);
  const { unit } = args;
  return { value: numberOf(args['value']), unit: unit === 'epochs' || unit === 'share' ? unit : 'steps' };
}

function checkMix(
  env: Env,
  declaration: RecipeDeclaration,
  read: Values,
  tasks: readonly string[],
): Recipe['mix'] | null {
  const value = read.values['mix'];
  if (!isCall(value)) return null;
  const kind = value.call === 'proportional' || value.call === 'staged' ? value.call : 'alternate';
  const named = Object.entries(value.args);
  if (named.length === 0) return { kind, parts: tasks.map((task) => ({ task, count: 1 })) };
  const at = read.written.get('mix')?.value;
  let ok = true;
  for (const [task] of named) {
    if (tasks.includes(task)) continue;
    env.report(
      unknownTask(task, argumentSpan(at, task) ?? declaration.name.span, declaration.adapter.text, tasks),
    );
    ok = false;
  }
  if (ok && named.every(([, times]) => times === 0)) {
    env.report(idleMix(at?.span ?? declaration.name.span, declaration.name.text, read.written.get('mix')));
    return null;
  }
  const idle = tasks.filter((task) => numberOf(value.args[task] ?? 0) === 0);
  if (ok && idle.length > 0)
    env.report(untrainedTask(idle, at?.span ?? declaration.name.span, declaration.name.text));
  return ok ? { kind, parts: named.map(([task, times]) => ({ task, count: numberOf(times) })) } : null;
}

const argumentSpan = (at: Expression | undefined, name: string) =>
  at?.kind === 'call' ? at.arguments.find((a) => a.name?.text === name)?.name?.span : undefined;
