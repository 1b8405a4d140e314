/** What a name stands for, with the figures that the checker worked out, as Markdown. */
import type { Declaration, DataDeclaration, Expression, Item, SweepDeclaration } from '../../grammar/ast.ts';
import { printExpression } from '../../grammar/print.ts';
import type { Checked, Subject } from '../check/check.ts';
import { dataFormats } from '../check/data.ts';
import { layersOf } from '../check/layers.ts';
import { kindOf } from '../kinds/index.ts';
import { countBase, describeBase, describeOrigin, plural } from '../describe/base.ts';
import { describePart } from '../describe/fusion-map.ts';
import type { Base } from '../model/model.ts';
import { namesByOwner } from '../lower/parameters.ts';
import { countOf, describeLayers, describePlace, share } from './describe.ts';
import type { Named } from './names.ts';
import type { Analysis } from './workspace.ts';

/** A name in full: how it is written, its document, its figures. `within` is the adapter at hand. */
export function describeNamed(named: Named, view: Analysis, within: string | null): string {
  const checked = view.checked();
  const subject = checked.subjects.get(within ?? named.adapter?.name.text ?? '') ?? null;
  const { node } = named;
  const facts = factsOf(named, checked, subject);
  return [code(headOf(node, subject)), node.doc, facts.map((f) => `- ${f}`).join('\n')]
    .filter((s) => s !== '')
    .join('\n\n');
}

const code = (text: string): string => `\`\`\`adapter\n${text}\n\`\`\``;

const clause = (word: string, e: Expression | null): string =>
  e === null ? '' : ` ${word} ${printExpression(e)}`;

/** The line that introduces it, as it is in the adapter at hand. */
function headOf(node: Declaration | Item, subject: Subject | null): string {
  switch (node.kind) {
    case 'param':
    case 'data':
      return `${node.kind} ${node.name.text} = ${printExpression(node.value)}`;
    case 'adapter': {
      const parent = node.parent === null ? '' : ` extends ${node.parent.text}`;
      return `adapter ${node.name.text}${node.base === null ? '' : ` on ${node.base.text}`}${parent}`;
    }
    case 'recipe':
      return `recipe ${node.name.text} for ${node.adapter.text}`;
    case 'sweep':
      return `sweep ${node.name.text} over ${node.adapter.text} with ${node.recipe.text}`;
    case 'import':
      return `import "${node.path}"`;
    case 'base':
      return `base ${node.name.text}${clause('from', node.from)}`;
    case 'expert':
    case 'override':
    case 'drop':
      return `${node.kind} ${node.name.text}`;
    case 'part':
    case 'group':
    case 'task': {
      const now = subject?.flat.items.find((i) => i.name.text === node.name.text) ?? node;
      if (now.kind === 'part') {
        const from = now.from === null ? '' : ` from ${now.from.text}`;
        return `${now.type.text} ${now.name.text}${clause('on', now.on)}${from}`;
      }
      if (now.kind === 'task')
        return `task ${now.name.text} on ${now.data.text}${clause('trains', now.trains)}`;
      return now.kind === 'group' ? `group ${now.name.text}${clause('=', now.value)}` : now.name.text;
    }
  }
}

function factsOf(named: Named, checked: Checked, subject: Subject | null): string[] {
  const name = named.name.text;
  switch (named.node.kind) {
    case 'base': {
      const base = checked.bases[name];
      return base === undefined ? [] : baseFacts(base);
    }
    case 'param':
      return layerFacts(named.node.value, checked, subject);
    case 'data':
      return dataFacts(named.node);
    case 'sweep':
      return [`${plural(runsOf(named.node), 'combination')}, less those that \`where\` leaves out`];
    case 'adapter':
      return adapterFacts(checked.subjects.get(name));
    case 'part':
      return partFacts(name, named.node.type.text, subject);
    case 'group':
      return sizeFact(subject?.adapter.groups[name], subject);
    case 'task':
      return sizeFact(subject?.adapter.tasks.find((t) => t.name === name)?.trains, subject, 'trains ');
    default:
      return [];
  }
}

const baseFacts = (base: Base): string[] => {
  const origin = describeOrigin(base);
  return [describeBase(base), countBase(base), ...(origin === null ? [] : [origin])];
};

/** The layers an expression means, on the base at hand or on every base that an adapter stands on. */
export function layerFacts(e: Expression, checked: Checked, subject: Subject | null): string[] {
  const subjects = subject === null ? [...checked.subjects.values()] : [subject];
  const lines = subjects.flatMap(({ env }) => {
    const layers = layersOf({ ...env, report: () => undefined }, e);
    return layers === null ? [] : [`${describeLayers(layers, env.base)} of \`${env.base.name}\``];
  });
  return [...new Set(lines)];
}

const dataFacts = ({ value }: DataDeclaration): string[] =>
  value.kind === 'call' && Object.hasOwn(dataFormats, value.name.text)
    ? [dataFormats[value.name.text]?.doc ?? '']
    : [];

const runsOf = (sweep: SweepDeclaration): number =>
  sweep.fields
    .filter((f) => f.name.text !== 'measure' && f.value.kind === 'list')
    .reduce((n, f) => n * (f.value.kind === 'list' ? f.value.items.length : 1), 1);

function adapterFacts(subject: Subject | undefined): string[] {
  if (subject === undefined) return [];
  const { adapter } = subject;
  const trained = new Set(adapter.tasks.flatMap((t) => t.trains));
  return [
    `${plural(adapter.parts.length, 'part')} on \`${adapter.base.name}\`, ${plural(adapter.tasks.length, 'task')}`,
    `trains ${share(countOf(adapter.parameters, trained), adapter.base)}`,
  ];
}

function partFacts(name: string, kind: string, subject: Subject | null): string[] {
  const doc = kindOf(kind)?.doc;
  const part = subject?.adapter.parts.find((p) => p.name === name);
  if (subject === null || part === undefined) return doc === undefined ? [] : [doc];
  const { adapter } = subject;
  const size = partSize(subject, name);
  const how = describePart(part);
  const tasks = adapter.tasks.filter((t) => t.trains.some((n) => size?.names.includes(n))).map((t) => t.name);
  return [
    ...(doc === undefined ? [] : [doc]),
    ...describePlace(part, adapter.base),
    ...(how === '' ? [] : [how]),
    ...(size === null
      ? []
      : [`${size.unfrozen ? 'unfreezes' : 'adds'} ${share(size.numbers, adapter.base)}`]),
    tasks.length === 0 ? 'no task trains it' : `trained by ${tasks.map((t) => `\`${t}\``).join(', ')}`,
  ];
}

/** What a part adds, or makes trainable; null when it could not be made sense of. */
export function partSize(
  { adapter }: Subject,
  name: string,
): { readonly names: readonly string[]; readonly numbers: number; readonly unfrozen: boolean } | null {
  const part = adapter.parts.find((p) => p.name === name);
  if (part === undefined) return null;
  const unfreezes = kindOf(part.kind)?.unfreezes;
  const names = unfreezes?.(part, adapter.base) ?? namesByOwner(adapter.parameters).get(name) ?? [];
  return { names, numbers: countOf(adapter.parameters, names), unfrozen: unfreezes !== undefined };
}

function sizeFact(names: readonly string[] | undefined, subject: Subject | null, verb = ''): string[] {
  if (names === undefined || subject === null) return [];
  const { parameters, base } = subject.adapter;
  return [`${verb}${share(countOf(parameters, names), base)}`];
}
