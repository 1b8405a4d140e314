/** Attributes that exist in another place: what other libraries keep in one flat list. */
import { percentOf, printExpression } from '../../../grammar/print.ts';
import { singleName, type Argument, type Expression, type Field } from '../../../grammar/ast.ts';
import type { Details, Fix } from '../../../grammar/diagnostic.ts';
import { linearsByHolder } from '../../families/words.ts';
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
  warmup_ratio: ['schedule', 'warmup', '%'],
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
  if (key === 'dropout' || key.endsWith('_dropout'))
    return { help: 'nothing is dropped here; take it away', edits: remove(field.span) };
  if (key === 'adapter_layers') return { help: 'the layers are written after `on`: `on layers[last 30]`' };
  if (key === 'adapter_start_layer') return { help: 'the layers are written after `on`: `on layers[2..31]`' };
  return null;
}

/** All that belongs into one call: into the one that is written already, or in the place of the first of it. */
function asArgument(call: string, block: readonly Field[]): Details {
  const mine = block.filter(
    (f) => Object.hasOwn(arguments_, f.name.text) && arguments_[f.name.text]?.[0] === call,
  );
  const written = block.find((f) => f.name.text === call || aliasOf(f.name.text, [call]) !== undefined);
  const value = written?.value;
  const given = value?.kind === 'call' ? value.arguments : [];
  const words = mine.flatMap((f) => {
    const [, name = ''] = arguments_[f.name.text] ?? [];
    return given.some((a) => a.name?.text === name) ? [] : [`${name}: ${asValue(f)}`];
  });
  const args = [...given.map(printArgument), ...words].join(', ');
  const name = value?.kind === 'call' ? value.name.text : value === undefined ? null : textOf(value);
  const text = `${call} = ${name ?? calls[call] ?? ''}(${args})`;
  const help = words.length > 0 ? `write \`${text}\`` : `\`${call}\` says it already; take this away`;
  const place = words.length > 0 ? written : undefined;
  const edits: Fix['edits'] = mine.flatMap((f, i) =>
    i === 0 && words.length > 0 && written === undefined ? replace(f.span, text) : remove(f.span),
  );
  return { help, edits: [...(place === undefined ? [] : replace(place.span, text)), ...edits] };
}

const printArgument = (a: Argument): string =>
  `${a.name === null ? '' : `${a.name.text}: `}${printExpression(a.value)}`;

const textOf = (e: Expression): string => (e.kind === 'string' ? e.value : printExpression(e));

/** The value of an attribute with the unit that is in its name. */
function asValue({ name, value }: Field): string {
  const unit = arguments_[name.text]?.[2] ?? '';
  if (value.kind !== 'number' || value.unit !== null || value.text.endsWith('%'))
    return printExpression(value);
  return unit === '%' ? percentOf(value.value) : `${value.text}${unit}`;
}

/** `["q_proj", "v_proj"]` as a selector, as far as the names are known. */
function placesOf(value: Expression): string {
  const words = value.kind === 'list' ? value.items : [value];
  const names = words.flatMap((e) => (e.kind === 'string' ? [e.value] : (singleName(e)?.text ?? [])));
  return selectorOf(names) ?? 'every linear in layers';
}

/** Linears by their names, ours or those of others, as a selector; null when one of them is not known. */
export function selectorOf(names: readonly string[]): string | null {
  const ours = (area: readonly string[]): string[] =>
    names.flatMap((name) => aliasOf(name, area)?.ours ?? area.filter((place) => place === name));
  const held = Object.entries(linearsByHolder).map(([holder, area]) => ({ holder, found: ours(area) }));
  const braced = (n: readonly string[]): string => (n.length === 1 ? (n[0] ?? '') : `{${n.join(', ')}}`);
  const paths = held.flatMap(({ holder, found }) =>
    found.length === 0 ? [] : [`layers.${holder}.${braced(found)}`],
  );
  const known = held.reduce((sum, { found }) => sum + found.length, 0);
  return paths.length === 0 || known < names.length ? null : paths.join(' + ');
}
