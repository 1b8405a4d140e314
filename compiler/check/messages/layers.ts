/** Messages about sets of layers. */
import type { Edge, Expression, NumberLiteral, Range } from '../../../grammar/ast.ts';
import { error, type Diagnostic } from '../../../grammar/diagnostic.ts';
import type { Span } from '../../../grammar/source.ts';
import type { Base } from '../../model/model.ts';
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
    help = `count from the end with \`last ${Math.ceil(-n.value)}\``;
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
  });

export const emptyRange = (e: Range): Diagnostic =>
  error('A106', e.span, 'this range holds no layers', {
    help:
      e.from.value > e.to.value
        ? `the lower end comes first: \`${e.to.text}..${e.from.text}\``
        : '`by` counts in whole steps from 1',
  });

export const notLayers = (e: Expression): Diagnostic =>
  error(
    'A128',
    e.span,
    `expected layers, not ${e.kind === 'path' ? 'a place inside of them' : describeExpression(e)}`,
    {
      notes: [
        'layers are written `5`, `0..7`, `0..31 by 4`, `first 4`, `last 31`, `all`, `none`, or as a list or sum of these',
      ],
    },
  );
