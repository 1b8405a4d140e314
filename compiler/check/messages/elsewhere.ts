/** Attributes that exist in another place: what other libraries keep in one flat list. */
import { printExpression } from '../../../grammar/print.ts';
import type { Expression, Field } from '../../../grammar/ast.ts';
import type { Details, Fix } from '../../../grammar/diagnostic.ts';
import { aliasOf } from '../aliases.ts';
import { remove, replace } from './edits.ts';

/** Arguments of a recipe's calls, by the names people write as attributes. */
const arguments_: Readonly<Record<string, readonly [call: string, argument: string, unit: string]>> = {
  lr: ['optimizer', 'lr', ''],
  learning_rate: ['optimizer', 'lr', ''],
  weight_decay: ['optimizer', 'weight_decay', ''],
  betas: ['optimizer', 'betas', ''],
  eps: ['optimizer', 'eps', ''],
  adam_epsilon: ['optimizer', 'eps', ''],
  warmup: ['schedule', 'warmup', ''],
  warmup_steps: ['schedule', 'warmup', ' steps'],
  warmup_epochs: ['schedule', 'warmup', ' epochs'],
};

const calls: Readonly<Record<string, string>> = { optimizer: 'adamw', schedule: 'cosine' };

/** Who has these attributes instead. */
const owners: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  recipe: {
    template: 'a task',
    ask: 'a task',
    max_tokens: 'a task',
    sequence_len: 'a task, as `max_tokens`',
    max_seq_length: 'a task, as `max_tokens`',
    datasets: 'a `data` declaration',
    rank: 'a `lora` part',
    lora_r: 'a `lora` part, as `rank`',
    lora_alpha: 'a `lora` part, as `alpha`',
  },
  task: { batch: 'a recipe', epochs: 'a recipe', steps: 'a recipe', seed: 'a recipe', lr: 'a recipe' },
};

/** Help for an attribute that belongs elsewhere; null for one that nobody knows. `what` owns the block it is written in. */
export function elsewhere(field: Field, what: string, block: readonly Field[]): Details | null {
  const key = field.name.text;
  const argument = Object.hasOwn(arguments_, key) ? arguments_[key] : undefined;
  if (what === 'recipe' && argument !== undefined) return asArgument(argument[0], block);
  const owner = Object.hasOwn(owners, what) ? owners[what] : undefined;
  if (owner !== undefined && Object.hasOwn(owner, key))
    return { help: `it is an attribute of ${owner[key]}` };
  if (key === 'target_modules' || key === 'lora_target_modules')
    return { help: `the places are written after \`on\`: \`on ${placesOf(field.value)}\`` };
  if (key === 'adapter_layers') return { help: 'the layers are written after `on`: `on layers[last 30]`' };
  if (key === 'adapter_start_layer') return { help: 'the layers are written after `on`: `on layers[2..31]`' };
  return null;
}

/** All that belongs into one call, in the place of the first of it. Nothing is edited where the call is already written. */
function asArgument(call: string, block: readonly Field[]): Details {
  const mine = block.filter(
    (f) => Object.hasOwn(arguments_, f.name.text) && arguments_[f.name.text]?.[0] === call,
  );
  const words = mine.map((f) => {
    const [, name = '', unit = ''] = arguments_[f.name.text] ?? [];
    return `${name}: ${printExpression(f.value)}${f.value.kind === 'number' && f.value.unit === null ? unit : ''}`;
  });
  const text = `${call} = ${calls[call] ?? ''}(${words.join(', ')})`;
  const taken = block.some((f) => f.name.text === call);
  const edits: Fix['edits'] = mine.flatMap((f, i) => (i === 0 ? replace(f.span, text) : remove(f.span)));
  return { help: `write \`${text}\``, edits: taken ? [] : edits };
}

/** `["q_proj", "v_proj"]` as a selector, as far as the names are known. */
function placesOf(value: Expression): string {
  const words = value.kind === 'list' ? value.items : [value];
  const names = words.flatMap((e) => (e.kind === 'string' ? [e.value] : []));
  const ours = (area: readonly string[]): string[] =>
    names.flatMap((name) => aliasOf(name, area)?.ours ?? area.filter((place) => place === name));
  const [attention, ffn] = [ours(['wq', 'wk', 'wv', 'wo']), ours(['w1', 'w2', 'w3'])];
  const braced = (n: readonly string[]): string => (n.length === 1 ? (n[0] ?? '') : `{${n.join(', ')}}`);
  const paths = [
    ...(attention.length === 0 ? [] : [`layers.attention.${braced(attention)}`]),
    ...(ffn.length === 0 ? [] : [`layers.feed_forward.${braced(ffn)}`]),
  ];
  return paths.length === 0 ? 'every linear in layers' : paths.join(' + ');
}
