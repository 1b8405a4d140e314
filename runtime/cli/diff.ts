/** `graft diff A[:ADAPTER] B[:ADAPTER]`: what changes from one spec to another. */
import { parseArgs } from 'node:util';
import { diffModels, type Change, type CountChange, type ModelDiff } from '../../compiler/describe/diff.ts';
import type { Model } from '../../compiler/model/model.ts';
import { type Command, EXIT, UsageError } from './command.ts';
import { nodeSpecHost } from '../hosts/node-specs.ts';
import { loadModel } from '../project/spec.ts';
import { checkOptions, specOptions, specUsage } from './spec-arguments.ts';
import { alignColumns, figure } from './table.ts';

export const command: Command = {
  name: 'diff',
  summary: 'say what changes from one spec to another',
  usage: `usage: graft diff A[:ADAPTER] B[:ADAPTER] [--format text|json] [--set NAME=VALUE]... [--set-b NAME=VALUE]...
                  [--base FILE.adapter:NAME]

  Says in words what is added, dropped and changed: the base, layers and attributes of parts, groups, tasks, data and
  recipes; and how many parameters each part, group and task has before and after. A and B may be the same spec, with
  another adapter or another value of a param.

  --format json            the same as data on standard output
  --set-b NAME=VALUE       like --set, for B alone
${specUsage}`,
  async run(argv) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        ...specOptions,
        'set-b': { type: 'string', multiple: true },
        format: { type: 'string', default: 'text' },
      },
    });
    const { format, set = [] } = values;
    if (format !== 'text' && format !== 'json')
      throw new UsageError(`--format is text or json, not '${format}'`);
    const [first, second, ...rest] = positionals;
    if (first === undefined || second === undefined || rest.length > 0)
      throw new UsageError('give two specs to compare');
    const a = loadModel(nodeSpecHost, first, checkOptions(values));
    const both = { ...values, set: [...set, ...(values['set-b'] ?? [])] };
    const b = loadModel(nodeSpecHost, second, checkOptions(both));
    const diff = diffModels(a, b);
    console.log(format === 'json' ? JSON.stringify(toJson(a, b, diff), null, 2) : printDiff(a, b, diff));
    return EXIT.ok;
  },
};

const toJson = (a: Model, b: Model, diff: ModelDiff) => ({
  from: { adapter: a.name, base: a.base.name },
  to: { adapter: b.name, base: b.base.name },
  ...diff,
});

/** What changed, a line each, and the parameters of everything. */
function printDiff(a: Model, b: Model, { changes, counts }: ModelDiff): string {
  const head = `${a.name} on ${a.base.name} -> ${b.name} on ${b.base.name}`;
  if (changes.length === 0) return `${head}\n\nnothing changes`;
  return [head, changes.flatMap(linesOf).join('\n'), countTable(counts)].join('\n\n');
}

const signs: Readonly<Record<Change['change'], string>> = { added: '+', dropped: '-', changed: '~' };

const linesOf = ({ area, name, change, words }: Change): string[] => [
  `${signs[change]} ${area} ${name}: ${change}${change === 'changed' || words.length === 0 ? '' : `, ${words.join(', ')}`}`,
  ...(change === 'changed' ? words.map((w) => `      ${w}`) : []),
];

function countTable(counts: readonly CountChange[]): string {
  const number = (n: number | null): string => (n === null ? '.' : figure(n));
  const change = ({ before, after }: CountChange): string => {
    const by = (after ?? 0) - (before ?? 0);
    return by === 0 ? '' : `${by > 0 ? '+' : '-'}${figure(Math.abs(by))}`;
  };
  const rows = counts.map((c) => [c.area, c.name, number(c.before), number(c.after), change(c)]);
  return alignColumns([['parameters', '', 'before', 'after', 'change'], ...rows], [2, 3, 4]);
}
