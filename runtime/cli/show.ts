/** `graft show SPEC[:ADAPTER]`: the fusion map and the parameter table. */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { lowerModel } from '../../compiler/lower/lower.ts';
import { describeOrigin } from '../../compiler/describe/base.ts';
import { countModel, type Counts } from '../../compiler/describe/counts.ts';
import { describePart, foldRows, fusionMap, type FusionMap } from '../../compiler/describe/fusion-map.ts';
import type { ExpertRun } from '../../compiler/model/expert.ts';
import type { Model } from '../../compiler/model/model.ts';
import { printLayers } from '../../compiler/model/layers.ts';
import { nearest } from '../../grammar/suggest.ts';
import { type Command, EXIT, UsageError } from './command.ts';
import { checkArgument, printDiagnostics, specOptions, specUsage } from './spec-arguments.ts';
import { GET_WEIGHTS } from '../project/missing-files.ts';
import { splitSpec } from '../project/spec-name.ts';
import { alignColumns, figure } from './table.ts';

export const command: Command = {
  name: 'show',
  summary: 'show what a spec inserts, trains and costs',
  usage: `usage: graft show SPEC[:ADAPTER] [--wide | --json] [--set NAME=VALUE]... [--base FILE.adapter:NAME]

  Draws every adapter of the spec, or the one that is named: what sits in which layers, equal layers in one row, and
  the parameters of each part, group and task.

  --wide                   a row for each layer, and the shapes of the parameters
  --json                   the same as data on standard output
${specUsage}`,
  async run(argv) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        ...specOptions,
        json: { type: 'boolean', default: false },
        wide: { type: 'boolean', default: false },
      },
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
    if (values.json) {
      console.log(JSON.stringify(models.map(toJson), null, 2));
      return EXIT.ok;
    }
    const width = values.wide ? Infinity : (process.stdout.columns ?? WIDTH);
    console.log(models.map((model) => show(model, values.wide, width)).join('\n\n'));
    for (const line of missingWeights(models)) console.error(line);
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

/** Columns of a terminal that does not say how many it has. */
const WIDTH = 80;

/** How to come by weights that a spec names and that are not there, once for each file. */
function missingWeights(models: readonly Model[]): string[] {
  const missing = models
    .map(({ base }) => base)
    .filter(({ weights }) => weights !== undefined && !existsSync(weights));
  return [...new Map(missing.map((base) => [base.weights, base])).values()].map(
    ({ name, weights }) => `\nthe weights of \`${name}\` are not there (${weights}): ${GET_WEIGHTS}`,
  );
}

/**
 * The drawing of one adapter.
 * @param wide every layer has a row, and parameters are shown with their shapes
 * @param width columns of the terminal
 */
export function show(model: Model, wide = false, width = WIDTH): string {
  const counts = countModel(model);
  const { base } = model;
  const head = `${model.name} on ${base.name}: ${base.layers} layers of width ${base.dim}, ${figure(counts.base)} parameters`;
  const origin = describeOrigin(base);
  const top = origin === null ? head : `${head}\n${base.name} is ${origin}`;
  if (model.parts.length === 0 && model.tasks.length === 0 && model.experts.length === 0)
    return `${top}\n\nnothing is added, nothing is trained`;
  return [
    top,
    drawMap(model, wide, width),
    partTable(model, counts, wide),
    setTable(counts),
    expertTable(model),
  ]
    .filter((s) => s !== '')
    .join('\n\n');
}

/** A column for each part; where they are too many for the terminal, a line for each part of a row. */
function drawMap(model: Model, wide: boolean, width: number): string {
  const { columns, rows: all } = fusionMap(model);
  if (columns.length === 0) return '';
  const rows = wide ? all : foldRows(all);
  const trained = columns.map((c) => (c.tasks.length === 0 ? 'frozen' : c.tasks.join(' ')));
  const table = alignColumns(
    [
      ['layer', ...columns.map((c) => c.part)],
      ['', ...columns.map((c) => c.kind)],
      ['trained by', ...trained],
      ...rows.map((r) => [r.place, ...r.words.map((cell) => cell || '-')]),
    ],
    [],
  );
  const fits = table.split('\n').every((line) => line.length <= width);
  return fits ? table : listMap(columns, rows);
}

function listMap(columns: FusionMap['columns'], rows: FusionMap['rows']): string {
  const lines = rows.flatMap(({ place, words }) => {
    const here = columns.flatMap(({ part, kind, tasks }, i) =>
      words[i]
        ? [[part, kind, words[i], tasks.length === 0 ? 'frozen' : `trained by ${tasks.join(' ')}`]]
        : [],
    );
    return here.length === 0
      ? [[place, '-', '', '', '']]
      : here.map((cells, i) => [i === 0 ? place : '', ...cells]);
  });
  return alignColumns([['layer', 'part', 'kind', 'what is there', ''], ...lines], []);
}

function partTable(model: Model, counts: Counts, wide: boolean): string {
  if (model.parts.length === 0) return '';
  const rows = counts.parts.map((c, i) => {
    const part = model.parts[i];
    const shapes = c.shapes.map((s) => `${s.count} x [${s.shape.join(', ')}]`).join('  ');
    const place = part === undefined || part.layers.length === 0 ? '' : `layers ${printLayers(part.layers)}`;
    const how = part === undefined ? '' : [place, describePart(part)].filter((s) => s !== '').join(', ');
    const row = [c.part, c.kind, figure(c.numbers), share(c.numbers, counts), how];
    return wide ? [...row, shapes] : row;
  });
  const head = ['part', 'kind', 'parameters', 'of base', ''];
  return alignColumns([wide ? [...head, 'shapes'] : head, ...rows], [2, 3]);
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
