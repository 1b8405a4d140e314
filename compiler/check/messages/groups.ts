/** Messages about groups. */
import { singleName, type Expression, type GroupItem, type Path } from '../../../grammar/ast.ts';
import { error, type Diagnostic } from '../../../grammar/diagnostic.ts';
import { printExpression } from '../../../grammar/print.ts';
import { describeExpression } from './fields.ts';
import { replace, withoutTerm } from './edits.ts';
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

export function notAGroup(e: Expression): Diagnostic {
  const text = summed(e);
  const what = e.kind === 'path' ? `\`${printExpression(e)}\`` : describeExpression(e);
  return error('A132', e.span, `expected parts or groups, not ${what}`, {
    ...(text === null ? {} : { help: `write \`${text}\``, edits: replace(e.span, text) }),
    notes: [
      'a group is made of parts, members of parts such as `words.gate`, other groups and `base`, with `+`, `-` and `&`',
    ],
  });
}

/** Names in a list or in quotes as a sum of them; null when there are others than names. */
function summed(e: Expression): string | null {
  const names = (e.kind === 'list' ? e.items : [e]).map((item) =>
    item.kind === 'string' ? item.value : singleName(item)?.text,
  );
  const isName = (name: string | undefined): boolean => name !== undefined && /^[A-Za-z_]\w*$/.test(name);
  return names.length > 0 && e.kind !== 'path' && names.every(isName) ? names.join(' + ') : null;
}

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
