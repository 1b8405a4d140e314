/** Messages about parts: places, sources, prompts that do not go together. */
import { textOf } from '../../kinds/fields.ts';
import { singleName, type Expression, type Field, type Name, type PartItem } from '../../../grammar/ast.ts';
import { error, warning, type Diagnostic } from '../../../grammar/diagnostic.ts';
import type { Span } from '../../../grammar/source.ts';
import type { Selects } from '../../kinds/kind.ts';
import type { Part } from '../../model/model.ts';
import type { CheckedPart } from '../checked.ts';
import { insert, remove, replace } from './edits.ts';
import { asWritten } from './fields.ts';
import { one } from './names.ts';

/** What is written when nobody says where: all that the kind can sit on and is usually put on. */
const places: Readonly<Record<Selects, string>> = {
  layers: 'on layers',
  'layers-or-input': 'on layers',
  linears: 'on layers.attention.{wq, wv}',
  sites: 'on every linear in layers',
  parameters: 'on every norm',
  input: 'on input',
  nothing: '',
};

const examples: Readonly<Record<Selects, string>> = {
  layers: 'on layers[last 30]',
  'layers-or-input': 'on layers[last 30]` or `on input',
  linears: 'on layers.attention.{wq, wv}',
  sites: 'on every linear in layers',
  parameters: 'on every norm',
  input: 'on input',
  nothing: '',
};

export const needsPlace = (item: PartItem, selects: Selects): Diagnostic =>
  error('A124', item.name.span, `\`${item.name.text}\` sits nowhere`, {
    label: `${one(item.type.text)} needs \`on\``,
    help: `write where, such as \`${examples[selects]}\``,
    edits: insert(item.name.span, item.name.span.end, ` ${places[selects]}`),
  });

/** `reads`: the kind reads from another part, whose name may have been written after `on`. */
export function noPlace(item: PartItem, on: Expression, reads: boolean): Diagnostic {
  const name = reads && item.from === null ? singleName(on) : null;
  const place = { ...on.span, start: item.name.span.end };
  return error('A124', on.span, `${one(item.type.text)} sits nowhere in the base`, {
    help:
      name === null ? 'take `on ...` away' : `what it reads is written with \`from\`: \`from ${name.text}\``,
    edits: name === null ? remove(place) : replace(place, ` from ${name.text}`),
  });
}

export const missingSource = (item: PartItem, kinds: readonly string[]): Diagnostic =>
  error('A130', item.name.span, `\`${item.name.text}\` reads nothing`, {
    help: `write \`from\` and the name of ${kinds.map(one).join(' or ')}`,
  });

export const noSource = (item: PartItem, from: Name): Diagnostic =>
  error('A130', from.span, `${one(item.type.text)} reads from nothing`, {
    help: `take \`from ${from.text}\` away`,
    edits: remove({ ...from.span, start: (item.on ?? item.name).span.end }),
  });

export const wrongSource = (
  item: PartItem,
  from: Name,
  source: PartItem,
  kinds: readonly string[],
): Diagnostic =>
  error('A130', from.span, `\`${item.name.text}\` cannot read from \`${from.text}\``, {
    label: one(source.type.text),
    related: [{ span: source.name.span, label: 'declared here' }],
    notes: [`${one(item.type.text)} reads from ${kinds.map(one).join(' or ')}`],
  });

/** `path` begins with the part that is read again and ends with its reader. */
export const readsItself = (from: Name, path: readonly string[]): Diagnostic =>
  error('A130', from.span, `\`${from.text}\` reads from itself`, {
    label:
      path.length === 1
        ? 'its own name'
        : `by way of ${path
            .slice(1)
            .map((p) => `\`${p}\``)
            .join(' and ')}`,
    help: 'name an encoder, or a projector that comes before it',
  });

export const addToItself = (span: Span, name: string, target: string): Diagnostic =>
  error(
    'A125',
    span,
    name === target ? `\`${name}\` is added to itself` : `\`${target}\` is itself added to another prompt`,
    {
      notes: ['a prompt is added to one that stands alone, whose gate then holds for both'],
    },
  );

export const addOutside = (span: Span, part: Part, target: Part, outside: readonly number[]): Diagnostic =>
  error('A125', span, `\`${part.name}\` is added to \`${target.name}\` where there is none`, {
    label: part.input
      ? `\`${part.name}\` is on the input`
      : `\`${target.name}\` is not in layer ${outside[0]}`,
    help: `put both on the same layers`,
  });

export const addUnequal = (span: Span, part: Part, target: CheckedPart): Diagnostic =>
  error('A125', span, `\`${part.name}\` and \`${target.part.name}\` differ in length`, {
    label: `adds ${textOf(part.fields['length'])} tokens to ${textOf(target.part.fields['length'])}`,
    related: [
      {
        span: (target.written.get('length') ?? target.item.name).span,
        label: `\`${target.part.name}\` is declared here`,
      },
    ],
    help: 'give both the same `length`, or one token, which is added to all of them',
  });

/** Trained tokens added to trained tokens are no more than trained tokens. */
export const addStatic = (span: Span, part: Part, target: Part, fuse: Field | undefined): Diagnostic =>
  error('A125', span, `\`${part.name}\` has nothing to add to \`${target.name}\``, {
    label: 'only what comes from an image is added',
    help: 'write `from` and the name of a `project`, or take `fuse` away',
    edits: fuse === undefined ? [] : remove(fuse.span),
  });

export const gateOnInput = (written: Field, name: string): Diagnostic =>
  error('A131', written.span, 'a prompt on the input has no gate', {
    label: `\`${name}\` goes through the base like words`,
    help: `take \`${asWritten(written)}\` away`,
    edits: remove(written.span),
  });

/** Nothing can ever come through this prompt. */
export function deadPrompt(p: CheckedPart, constant: boolean): Diagnostic {
  const gate = p.written.get('gate');
  const init = p.written.get('init');
  const span = (init ?? gate ?? p.item.name).span;
  if (constant) {
    return error('A202', gate?.span ?? span, `\`${p.part.name}\` never has an effect`, {
      label: 'a gate that stays at zero',
      help: 'start it elsewhere, or let it be trained with `per: head`',
    });
  }
  return error('A202', span, `neither the prompt nor the gate of \`${p.part.name}\` can ever move`, {
    label: 'both start at zero',
    related:
      gate === undefined || gate === init ? [] : [{ span: gate.span, label: 'the gate starts at zero here' }],
    notes: ['a gate at zero gives the prompt no gradient, and a prompt of zeros gives none to the gate'],
    help: 'leave `init` away: prompts then start from a normal distribution',
    edits: init === undefined ? [] : remove(init.span),
  });
}

/** `0, 1, 2 and 5 more`. */
function numbers(layers: readonly number[]): string {
  const first = layers[0] ?? 0;
  const last = layers.at(-1) ?? 0;
  if (layers.length === 1) return `layer ${first}`;
  return last - first === layers.length - 1
    ? `layers ${first} to ${last}`
    : `${layers.length} layers, first in ${first}`;
}

export const promptsMeet = (a: CheckedPart, b: CheckedPart, shared: readonly number[]): Diagnostic =>
  warning('A301', b.item.name.span, `\`${b.part.name}\` and \`${a.part.name}\` meet in ${numbers(shared)}`, {
    related: [{ span: a.item.name.span, label: `\`${a.part.name}\` is declared here` }],
    notes: [
      'each keeps its own softmax and gate, and both are added; LLaMA-Adapter V2 keeps early and late layers apart (section 4.3)',
    ],
  });

export const prefixesMeet = (a: CheckedPart, b: CheckedPart, shared: readonly number[]): Diagnostic =>
  error('A134', b.item.name.span, `two prefixes in ${numbers(shared)}`, {
    label: `\`${b.part.name}\` is a prefix where \`${a.part.name}\` is one already`,
    related: [{ span: a.item.name.span, label: `\`${a.part.name}\` is declared here` }],
    help: 'give them different layers, or make one longer prefix',
  });
