/** `graft show SPEC[:ADAPTER]`: the fusion map and the parameter table. */
import { parseArgs } from 'node:util';
import { lowerModel } from '../../compiler/lower/lower.ts';
import { countModel, type Counts } from '../../compiler/describe/counts.ts';
import { describePart, fusionMap, legendOf } from '../../compiler/describe/fusion-map.ts';
import type { ExpertRun, Model } from '../../compiler/model/model.ts';
import { printLayers } from '../../compiler/describe/print-model.ts';
import { nearest } from '../../grammar/suggest.ts';
import { type Command, EXIT, UsageError } from './command.ts';
import { checkArgument, printDiagnostics, specOptions, specUsage } from './spec-arguments.ts';
import { splitSpec } from '../project/spec-name.ts';
import { alignColumns, figure } from './table.ts';

export const command: Command = {
  name: 'show',
  summary: 'show what a spec inserts, trains and costs',
  usage: `usage: graft show SPEC[:ADAPTER] [--json] [--set NAME=VALUE]... [--base FILE.adapter:NAME]

  Draws every adapter of the spec, or the one that is named: a row for each layer, and the parameters of each part,
  group and task.

  --json                   the same as data on standard output
${specUsage}`,
  async run(argv) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { ...specOptions, json: { type: 'boolean', default: false } },
    });
    const [argument, ...rest] = positionals;
    if (argument === undefined || rest.length > 0) throw new UsageError('give one spec');
    const { path, name } = splitSpec(argument);
    const checked = checkArgument(path, values);
    if (!checked.found) throw new UsageError(`cannot read ${path}`);
    printDiagnostics(checked.diagnostics, checked.sources);
    if (checked.diagnostics.some((d) => d.severity === 'error')) return EXIT.failed;
    const names = Object.keys(checked.adapters);
    if (name !== undefined && !names.includes(name)) {
      const near = nearest(name, names);
      throw new UsageError(
        `${path} has no adapter '${name}'${near === undefined ? '' : `; did you mean '${near}'?`}`,
      );
    }
    const models = (name === undefined ? names : [name]).map((n) => lowerModel(checked, n));
    if (models.length === 0) throw new UsageError(`${path} declares no adapter`);
    console.log(values.json ? JSON.stringify(models.map(toJson), null, 2) : models.map(show).join('\n\n'));
    return EXIT.ok;
  },
};

const toJson = (model: Model) => ({
  adapter: model.name,
  base: model.base,
  map: fusionMap(model),
  counts: countModel(model),
  experts: model.experts,
});

/** The drawing of one adapter. */
export function show(model: Model): string {
  const counts = countModel(model);
  const { base } = model;
  const head = `${model.name} on ${base.name}: ${base.layers} layers of width ${base.dim}, ${figure(counts.base)} parameters`;
  if (model.parts.length === 0 && model.tasks.length === 0 && model.experts.length === 0)
    return `${head}\n\nnothing is added, nothing is trained`;
  return [head, ...drawMap(model), partTable(model, counts), setTable(counts), expertTable(model)]
    .filter((s) => s !== '')
    .join('\n\n');
}

function drawMap(model: Model): string[] {
  const { columns, rows } = fusionMap(model);
  if (columns.length === 0) return [];
  const trained = columns.map((c) => (c.tasks.length === 0 ? 'frozen' : c.tasks.join(' ')));
  const table = alignColumns(
    [
      ['layer', ...columns.map((c) => c.part)],
      ['', ...columns.map((c) => c.kind)],
      ['', ...trained],
      ...rows.map((r) => [r.place, ...r.cells.map((cell) => cell || '.')]),
    ],
    [],
  );
  return [table, legendOf([model])];
}

function partTable(model: Model, counts: Counts): string {
  if (model.parts.length === 0) return '';
  const rows = counts.parts.map((c, i) => {
    const part = model.parts[i];
    const shapes = c.shapes.map((s) => `${s.count} x [${s.shape.join(', ')}]`).join('  ');
    const place = part === undefined || part.layers.length === 0 ? '' : `layers ${printLayers(part.layers)}`;
    const how = part === undefined ? '' : [place, describePart(part)].filter((s) => s !== '').join(', ');
    return [c.part, c.kind, figure(c.numbers), share(c.numbers, counts), how, shapes];
  });
  return alignColumns([['part', 'kind', 'parameters', 'of base', '', 'shapes'], ...rows], [2, 3]);
}

function setTable(counts: Counts): string {
  const row = (kind: string, name: string, numbers: number): string[] => [
    kind,
    name,
    figure(numbers),
    share(numbers, counts),
  ];
  const rows = [
    ...counts.groups.map((g) => row('group', g.name, g.numbers)),
    ...counts.tasks.map((t) => row('task', t.name, t.numbers)),
    row('trained', 'in all', counts.trained),
  ];
  return alignColumns(rows, [2, 3]);
}

const expertTable = ({ experts }: Model): string =>
  alignColumns(
    experts.map(({ name, run, say }) => ['expert', name, describeRun(run), JSON.stringify(say)]),
    [],
  );

/** How an expert is run, with what tells it from others of its kind. */
function describeRun(run: ExpertRun | null): string {
  switch (run?.kind) {
    case undefined:
      return 'by hand';
    case 'ocr':
      return `ocr ${run.language}`;
    case 'caption':
    case 'detect':
      return `${run.kind} ${run.model}`;
    case 'http':
      return `http ${run.address}`;
    case 'command':
      return `command ${run.words.join(' ')}`;
  }
}

const share = (n: number, counts: Counts): string => `${((100 * n) / counts.base).toFixed(4)}%`;
