/** Messages about groups. */
import { singleName, type Expression, type GroupItem, type Path } from '../../../grammar/ast.ts';
import { error, type Diagnostic } from '../../../grammar/diagnostic.ts';
import { printExpression } from '../../../grammar/print.ts';
import { describeExpression } from './fields.ts';
import { withoutTerm } from './edits.ts';
import { listOf, suggest } from './names.ts';

export function groupCycle({ name, value }: GroupItem, open: readonly string[]): Diagnostic {
  const own = termsOf(value).find((e) => singleName(e)?.text === name.text);
  const edits = own === undefined ? [] : withoutTerm(value, own);
  return error('A212', name.span, `the group \`${name.text}\` contains itself`, {
    ...(edits.length === 0 ? {} : { help: `take \`${name.text}\` out of it`, edits }),
    notes:
      open.length > 1
        ? [[...open.slice(open.indexOf(name.text)), name.text].map((n) => `\`${n}\``).join(' contains ')]
        : [],
  });
}

const termsOf = (e: Expression): Expression[] =>
  e.kind === 'binary' ? [...termsOf(e.left), ...termsOf(e.right)] : [e];

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

export function unknownMember(e: Path, known: readonly string[]): Diagnostic {
  const member = e.segments[1];
  const name = member?.kind === 'name' && member.index === null ? member.name : null;
  const { help, edits = [] } = name === null ? {} : suggest(name, known);
  return error('A114', e.span, `\`${printExpression(e)}\` is not there`, {
    notes: known.length === 0 ? [] : [`the part's parameters end in ${listOf(known)}`],
    help,
    edits,
  });
}
