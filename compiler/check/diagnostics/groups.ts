/** Groups, and what they are made of. */
import { singleName, type Expression, type GroupItem, type Name, type Path } from '../../../grammar/ast.ts';
import type { Diagnostic } from '../../../grammar/diagnostic.ts';
import { entry, onLlama } from '../../../grammar/entry.ts';
import { printExpression } from '../../../grammar/print.ts';
import { replace, withoutTerm } from './edits.ts';
import { withData } from './examples.ts';
import { describeExpression, listOf, suggest } from './phrases.ts';

export const A114 = entry({
  code: 'A114',
  severity: 'error',
  title: 'unknown part or group',
  text: `
    A group is made of parts and other groups of the same adapter, of \`base\`, and of members of parts: \`words.gate\` is
    the gates of the prompt \`words\` without its tokens. When a part is dropped, it leaves the groups it inherits, but it
    cannot be named in new ones.`,
  bad: onLlama(`
      prompt words on layers { length = 10 }
      group  writing = word`),
  good: onLlama(`
      prompt words on layers { length = 10 }
      group  writing = words`),
});

export const unknownGroupMember = (name: Name, candidates: readonly string[], dropped: boolean): Diagnostic =>
  A114.at(name.span, `there is no part or group \`${name.text}\``, {
    ...suggest(name, candidates),
    ...(dropped ? { notes: [`\`${name.text}\` was dropped`] } : {}),
  });

export function unknownMember(e: Path, known: readonly string[]): Diagnostic {
  const member = e.segments[1];
  const name = member?.kind === 'name' && member.index === null ? member.name : null;
  const { help, edits = [] } = name === null ? {} : suggest(name, known);
  return A114.at(e.span, `\`${printExpression(e)}\` is not there`, {
    notes: known.length === 0 ? [] : [`the part's parameters end in ${listOf(known)}`],
    help,
    edits,
  });
}

export const A132 = entry({
  code: 'A132',
  severity: 'error',
  title: 'expected parts or groups',
  text: `
    Groups, and what a task trains, are made of names of parts and groups, members such as \`words.gate\`, and \`base\`,
    with +, - and &. Places of the base are named by an \`unfreeze\` first, which then is the part to name.`,
  bad: onLlama(`
      bias  biases on every linear
      group writing = every linear`),
  good: onLlama(`
      bias  biases on every linear
      group writing = biases`),
});

export function notAGroup(e: Expression): Diagnostic {
  const text = summed(e);
  const what = e.kind === 'path' ? `\`${printExpression(e)}\`` : describeExpression(e);
  return A132.at(e.span, `expected parts or groups, not ${what}`, {
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

export const A212 = entry({
  code: 'A212',
  severity: 'error',
  title: 'a group contains itself',
  text: `
    Groups may name each other, but not in a circle.`,
  bad: withData(`
      bias  biases on every linear
      group writing = biases + writing`),
  good: withData(`
      bias  biases on every linear
      group writing = biases`),
});

export function groupCycle({ name, value }: GroupItem, open: readonly string[]): Diagnostic {
  const own = termsOf(value).find((e) => singleName(e)?.text === name.text);
  const edits = own === undefined ? [] : withoutTerm(value, own);
  return A212.at(name.span, `the group \`${name.text}\` contains itself`, {
    ...(edits.length === 0 ? {} : { help: `take \`${name.text}\` out of it`, edits }),
    notes:
      open.length > 1
        ? [[...open.slice(open.indexOf(name.text)), name.text].map((n) => `\`${n}\``).join(' contains ')]
        : [],
  });
}

const termsOf = (e: Expression): Expression[] =>
  e.kind === 'binary' ? [...termsOf(e.left), ...termsOf(e.right)] : [e];
