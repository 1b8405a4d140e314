/** Sets of layers. */
import type { Edge, Expression, NumberLiteral, Range } from '../../../grammar/ast.ts';
import type { Diagnostic } from '../../../grammar/diagnostic.ts';
import { entry, onLlama } from '../../../grammar/entry.ts';
import { printExpression } from '../../../grammar/print.ts';
import type { Span } from '../../../grammar/source.ts';
import type { Base } from '../../model/model.ts';
import { replace } from './edits.ts';
import { describeExpression } from './phrases.ts';

const has = (base: Base): string =>
  `\`${base.name}\` has ${base.layers} ${base.layers === 1 ? 'layer' : `layers, 0 to ${base.layers - 1}`}`;

export const A105 = entry({
  code: 'A105',
  severity: 'error',
  title: 'a layer does not exist',
  text: `
    Layers count from 0, so a base of 32 layers has layers 0 to 31. \`first 4\` and \`last 4\` count for you, and go on
    meaning the same when the base changes.`,
  bad: onLlama('prompt words on layers[20..32] { length = 10 }'),
  good: onLlama('prompt words on layers[20..31] { length = 10 }'),
});

/** A layer that is not there; `range` when it is an end of one. */
export function layersOutside(span: Span, n: NumberLiteral, base: Base, range?: Range): Diagnostic {
  const last = base.layers - 1;
  let help: string | undefined;
  let text: string | undefined;
  if (range !== undefined && range.from.value <= last && range.from.value >= 0) {
    const count = base.layers - range.from.value;
    const by = range.by === null ? '' : ` by ${range.by.text}`;
    text = `${range.from.value}..${last}${by}`;
    help = `write \`${text}\`${range.by === null ? `, or \`last ${count}\`` : ''}`;
  } else if (n.value === base.layers) {
    text = String(last);
    help = `layers count from 0: write \`${last}\`, or \`last 1\``;
  } else if (n.value < 0) {
    const count = Math.ceil(-n.value);
    help = `count from the end with \`last ${count}\``;
    // What Python calls -2 is one layer, the last but one; a range up to -1 is the last few.
    if (range === undefined && base.layers >= count) text = count === 1 ? 'last 1' : `${base.layers - count}`;
    if (text !== undefined && count > 1)
      help = `write \`${text}\`, or \`last ${count}\` for the last ${count}`;
    if (range?.to.value === -1 && range.by === null) text = `last ${count}`;
  }
  return A105.at(span, `layer ${n.text} does not exist`, {
    label: has(base),
    help,
    edits: text === undefined ? [] : [{ span, text }],
  });
}

export const tooManyLayers = (e: Edge, count: number, available: number, base: Base): Diagnostic =>
  A105.at(e.span, `there are no ${count} layers to take`, {
    label: e.within === null || available === base.layers ? has(base) : `only ${available} to choose from`,
    help: `write \`${e.end} ${available}\`${available === base.layers ? ', or `all`' : ''}`,
    edits: e.count.kind === 'number' ? replace(e.count.span, String(available)) : [],
  });

export const A106 = entry({
  code: 'A106',
  severity: 'error',
  title: 'a range without layers',
  text: `
    A range names its lower end first, and both ends belong to it; \`by\` is how far apart its layers are. To mean no
    layers at all, write \`none\`.`,
  bad: onLlama('prompt words on layers[31..20] { length = 10 }'),
  good: onLlama('prompt words on layers[20..31] { length = 10 }'),
});

export const emptyRange = (e: Range): Diagnostic =>
  A106.at(e.span, 'this range holds no layers', {
    help:
      e.from.value > e.to.value
        ? `the lower end comes first: \`${e.to.text}..${e.from.text}\``
        : '`by` counts in whole steps from 1',
    edits:
      e.from.value > e.to.value
        ? [...replace(e.from.span, e.to.text), ...replace(e.to.span, e.from.text)]
        : [],
  });

export const A128 = entry({
  code: 'A128',
  severity: 'error',
  title: 'expected layers',
  text: `
    Prompts and prefixes sit on whole layers: \`layers\`, or \`layers[...]\` with layers in the brackets. Layers are
    written \`5\`, \`0..7\`, \`0..31 by 4\`, \`first 4\`, \`last 31\`, \`all\`, \`none\`, as a list of these, or joined with +
    (union), - (minus) and & (intersection).`,
  bad: onLlama('prompt words on layers.attention { length = 10 }'),
  good: onLlama('prompt words on layers { length = 10 }'),
});

/** Python's `range(2, 32)`, whose end is left out, as `2..31`; nothing for any other expression. */
function rangeOf(e: Expression): string {
  if (e.kind !== 'call' || e.name.text !== 'range') return '';
  const numbers = e.arguments.map(({ value }) => (value.kind === 'number' ? value.value : NaN));
  const [from = NaN, to = NaN, by = 1] = numbers.length === 1 ? [0, ...numbers] : numbers;
  return by >= 1 && to > from ? `${from}..${to - 1}${by === 1 ? '' : ` by ${by}`}` : '';
}

/** `0-3`: a layer taken from another one. */
export function notARange(e: Expression, from: NumberLiteral, to: NumberLiteral): Diagnostic {
  const text = `${from.text}..${to.text}`;
  return A128.at(e.span, `layer ${to.text} is not in layer ${from.text}, so it cannot be taken away`, {
    help: `did you mean \`${text}\`?`,
    edits: replace(e.span, text),
  });
}

export function notLayers(e: Expression): Diagnostic {
  const [head] = e.kind === 'path' ? e.segments : [];
  const layers = head?.kind === 'name' && head.name.text === 'layers' ? head : null;
  const text =
    layers === null ? rangeOf(e) : printExpression({ kind: 'path', segments: [layers], span: e.span });
  return A128.at(
    e.span,
    `expected layers, not ${e.kind === 'path' ? 'a place inside of them' : describeExpression(e)}`,
    {
      ...(text === ''
        ? {}
        : {
            help: `write \`${text}\`${layers === null ? ', both ends included' : ': the whole layers'}`,
            edits: replace(e.span, text),
          }),
      notes: [
        'layers are written `5`, `0..7`, `0..31 by 4`, `first 4`, `last 31`, `all`, `none`, or as a list or sum of these',
      ],
    },
  );
}
