/** What completion proposes: names, words, attributes and their values. */
import { printExpression } from '../../grammar/print.ts';
import { dataFormats } from '../check/data.ts';
import { describeType } from '../check/diagnostics/phrases.ts';
import { kinds } from '../kinds/index.ts';
import type { Field, FieldType, Kind } from '../kinds/kind.ts';
import { printValue } from '../model/values.ts';
import { describeField } from './describe-tables.ts';
import type { Named } from './names.ts';
import { alternatives, type Table } from './tables.ts';
import { layerWords, wordDocs } from './keyword-docs.ts';

export interface Proposal {
  readonly label: string;
  readonly kind: Named['kind'] | 'keyword' | 'kind' | 'attribute' | 'value' | 'place' | 'format';
  readonly detail: string;
  /** Markdown. */
  readonly doc: string;
  /** What is written instead of the label; `$1`, `$2` are places to go on typing, as in VS Code's snippets. */
  readonly snippet?: string;
}

export const word = (label: string): Proposal => ({
  label,
  kind: 'keyword',
  detail: '',
  doc: wordDocs[label] ?? '',
});

export const wordsOf = (docs: Readonly<Record<string, string>>, kind: Proposal['kind']): Proposal[] =>
  Object.entries(docs).map(([label, doc]) => ({ label, kind, detail: '', doc }));

/** A kind of part, as the beginning of an item. */
const kindProposal = (kind: Kind): Proposal => ({
  label: kind.name,
  kind: 'kind',
  detail: 'kind of part',
  doc: `${kind.doc}\n\n\`\`\`text\n${kind.formula}\n\`\`\``,
});

export const kindProposals: readonly Proposal[] = kinds.map(kindProposal);

export const formatProposals: readonly Proposal[] = Object.entries(dataFormats).map(([label, { doc }]) => ({
  label,
  kind: 'format',
  detail: 'format of data',
  doc,
  snippet: `${label}("$1")`,
}));

/** A name that was declared. */
export const namedProposal = ({ name, kind, node }: Named): Proposal => ({
  label: name.text,
  kind,
  detail: detailOf(node),
  doc: node.doc,
});

function detailOf(node: Named['node']): string {
  switch (node.kind) {
    case 'param':
    case 'data':
    case 'group':
      return printExpression(node.value);
    case 'part':
      return node.type.text;
    default:
      return node.kind;
  }
}

/** Words for layers: where `layers[`, `where` and params want some. */
export const layerProposals: readonly Proposal[] = [
  word('first'),
  word('last'),
  ...wordsOf({ all: layerWords['all'] ?? '', none: layerWords['none'] ?? '' }, 'value'),
];

/** Attributes of a block, or arguments of a call, that are not written yet. */
export function attributeProposals(table: Table, written: readonly string[], sign: '=' | ':'): Proposal[] {
  return Object.entries(table)
    .filter(([name]) => !written.includes(name))
    .map(([label, field]) => ({
      label,
      kind: 'attribute',
      detail: describeField(field),
      doc: field.doc,
      snippet: sign === '=' ? `${label} = $1` : `${label}: $1`,
    }));
}

/** Words and calls that a type takes. */
export function valueProposals(type: FieldType, fallback: Field['default']): Proposal[] {
  return alternatives(type).flatMap((t): Proposal[] => {
    switch (t.kind) {
      case 'boolean':
        return ['true', 'false'].map((label) => value(label));
      case 'choice':
        return t.choices.map((label) => value(label));
      case 'call':
        return Object.entries(t.calls).map(([call, rows]) => callProposal(call, rows));
      case 'number':
        return typeof fallback === 'number' ? [value(printValue(fallback), 'the default')] : [];
      default:
        return [];
    }
  });
}

const value = (label: string, detail = ''): Proposal => ({ label, kind: 'value', detail, doc: '' });

/** A call with what it cannot do without; it can stand alone when that is nothing. */
function callProposal(call: string, rows: Table): Proposal {
  const required = Object.entries(rows).filter(([, row]) => row.default === undefined);
  const args = required.map(([name, row], i) =>
    row.type.kind === 'string' ? `"$${i + 1}"` : `${name}: $${i + 1}`,
  );
  const lines = Object.entries(rows).map(
    ([name, row]) => `- \`${name}\`: ${describeType(row.type)}. ${row.doc}`,
  );
  return {
    label: call,
    kind: 'value',
    detail: lines.length === 0 ? '' : `${call}(${Object.keys(rows).join(', ')})`,
    doc: lines.join('\n'),
    ...(args.length === 0 ? {} : { snippet: `${call}(${args.join(', ')})` }),
  };
}
