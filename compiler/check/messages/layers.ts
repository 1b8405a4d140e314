/** Messages about sets of layers. */
import type { Edge, Expression, NumberLiteral, Range } from '../../../grammar/ast.ts';
import { error, type Diagnostic } from '../../../grammar/diagnostic.ts';
import type { Span } from '../../../grammar/source.ts';
import type { Base } from '../../model/model.ts';
import { printExpression } from '../../../grammar/print.ts';
import { replace } from './edits.ts';
import { describeExpression } from './fields.ts';

const has = (base: Base): string =>
  `\`${base.name}\` has ${base.layers} ${base.layers === 1 ? 'layer' : `layers, 0 to ${base.layers - 1}`}`;

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
  return error('A105', span, `layer ${n.text} does not exist`, {
    label: has(base),
    help,
    edits: text === undefined ? [] : [{ span, text }],
  });
}

export const tooManyLayers = (e: Edge, count: number, available: number, base: Base): Diagnostic =>
  error('A105', e.span, `there are no ${count} layers to take`, {
    label: e.within === null || available === base.layers ? has(base) : `only ${available} to choose from`,
    help: `write \`${e.end} ${available}\`${available === base.layers ? ', or `all`' : ''}`,
    edits: e.count.kind === 'number' ? replace(e.count.span, String(available)) : [],
  });

export const emptyRange = (e: Range): Diagnostic =>
  error('A106', e.span, 'this range holds no layers', {
    help:
      e.from.value > e.to.value
        ? `the lower end comes first: \`${e.to.text}..${e.from.text}\``
        : '`by` counts in whole steps from 1',
    edits:
      e.from.value > e.to.value
        ? [...replace(e.from.span, e.to.text), ...replace(e.to.span, e.from.text)]
        : [],
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
  return error('A128', e.span, `layer ${to.text} is not in layer ${from.text}, so it cannot be taken away`, {
    help: `did you mean \`${text}\`?`,
    edits: replace(e.span, text),
  });
}

export function notLayers(e: Expression): Diagnostic {
  const [head] = e.kind === 'path' ? e.segments : [];
  const layers = head?.kind === 'name' && head.name.text === 'layers' ? head : null;
  const text =
    layers === null ? rangeOf(e) : printExpression({ kind: 'path', segments: [layers], span: e.span });
  return error(
    'A128',
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
