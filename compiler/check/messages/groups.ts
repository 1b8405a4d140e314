/** Messages about groups. */
import type { Expression, Name, Path } from '../../../grammar/ast.ts';
import { error, type Diagnostic } from '../../../grammar/diagnostic.ts';
import { printExpression } from '../../../grammar/print.ts';
import { describeExpression } from './fields.ts';
import { listOf } from './names.ts';

export const groupCycle = (name: Name, open: readonly string[]): Diagnostic =>
  error('A212', name.span, `the group \`${name.text}\` contains itself`, {
    notes:
      open.length > 1
        ? [[...open.slice(open.indexOf(name.text)), name.text].map((n) => `\`${n}\``).join(' contains ')]
        : [],
  });

export const notAGroup = (e: Expression): Diagnostic =>
  error(
    'A132',
    e.span,
    `expected parts or groups, not ${e.kind === 'path' ? `\`${printExpression(e)}\`` : describeExpression(e)}`,
    {
      notes: [
        'a group is made of parts, members of parts such as `words.gate`, other groups and `base`, with `+`, `-` and `&`',
      ],
    },
  );

export const unknownMember = (e: Path, known: readonly string[]): Diagnostic =>
  error('A114', e.span, `\`${printExpression(e)}\` is not there`, {
    notes: known.length === 0 ? [] : [`the part's parameters end in ${listOf(known)}`],
  });
