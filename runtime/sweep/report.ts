/** Makes a report of a sweep's results, for the page and for the terminal. */
import { fusionMap, legendOf } from '../../compiler/describe/fusion-map.ts';
import { paramsOf, printSettings, type Sweep } from '../../compiler/model/sweep.ts';
import { printValue } from '../../compiler/model/values.ts';
import type { Block, Report, Section, Table } from '../report/report.ts';
import type { Plan, PlannedTrial, Prepared } from './plan.ts';
import { curvePlots, measurePlots } from './plots.ts';
import { type CombinationResult, linesOf, type TrialLine } from './results.ts';
import { failedTable, resultTable, trialTable } from './tables.ts';

/** The report on the results of a plan that a store has so far. */
export function sweepReport(plan: Plan, results: ReadonlyMap<string, TrialLine>): Report {
  const { sweep, trials } = plan;
  const lines = linesOf(trials, results);
  const cells = combinationResults(sweep, trials, results);
  const failed = lines.filter((line) => line.failed !== undefined);
  const finished = lines.length - failed.length;
  const missing = trials.length - lines.length;
  const counts = [
    `${finished} of ${trials.length} trials finished`,
    ...(failed.length > 0 ? [`${failed.length} failed`] : []),
    ...(missing > 0 ? [`${missing} not run yet`] : []),
  ];
  const lead = `${sweep.doc === '' ? '' : `${sweep.doc.trim().replace(/\s+/g, ' ')} `}${counts.join(', ')}.`;
  const sections: Section[] = [
    {
      title: 'Results',
      blocks: [
        ...notes(lines),
        ...measurePlots(sweep, cells),
        ...curvePlots(sweep, cells),
        resultTable(sweep, cells),
      ],
    },
    ...(failed.length > 0 ? [{ title: 'Failed trials', blocks: [failedTable(failed)] }] : []),
    { title: 'Every trial', blocks: [trialTable(sweep, trials, results)] },
    { title: 'Where the parts sit', blocks: mapsOf(sweep, trials) },
    { title: 'How it was made', blocks: [facts(plan, lines), ...sources(plan)] },
  ];
  return { title: `Sweep ${sweep.name} of ${sweep.adapter}`, lead, sections };
}

function combinationResults(
  sweep: Sweep,
  trials: readonly PlannedTrial[],
  results: ReadonlyMap<string, TrialLine>,
): CombinationResult[] {
  return sweep.combinations.map((_, combination) => {
    const own = trials.filter((trial) => trial.combination === combination);
    const lines = linesOf(own, results);
    const figures = lines.flatMap((line) => line.figures ?? []);
    return { combination, params: paramsOf(sweep, combination), lines, figures };
  });
}

/** Warnings that a reader needs before the numbers. */
function notes(lines: readonly TrialLine[]): Block[] {
  const finished = lines.filter((line) => line.figures !== undefined);
  const several = (of: (line: TrialLine) => string, what: string): Block[] => {
    const all = new Set(finished.map(of));
    return all.size < 2
      ? []
      : [{ kind: 'text', warning: true, text: `The trials were run ${what}: ${[...all].join('; ')}.` }];
  };
  const untested = finished.some(({ figures }) => figures?.lossOf === 'training');
  return [
    ...several((line) => line.commit || 'outside of a checkout', 'from several commits'),
    ...several((line) => line.device, 'on several devices'),
    ...(untested
      ? [
          {
            kind: 'text',
            text: 'No task names test data, so the loss is the mean of the last tenth of training.',
          } as const,
        ]
      : []),
  ];
}

/** A fusion map for each group of combinations whose maps are equal. */
function mapsOf(sweep: Sweep, trials: readonly PlannedTrial[]): Block[] {
  const maps = new Map<string, { readonly table: Table; readonly names: Set<string> }>();
  for (const trial of trials) {
    if (typeof trial.work === 'string') continue;
    const table = mapOf(trial.work);
    const key = JSON.stringify(table);
    const map = maps.get(key) ?? { table, names: new Set() };
    map.names.add(printSettings(paramsOf(sweep, trial.combination)));
    maps.set(key, map);
  }
  const models = trials.flatMap(({ work }) => (typeof work === 'string' ? [] : [work.project.model]));
  const tables = [...maps.values()].map(({ table, names }): Table => ({
    ...table,
    title: [...names].join('; '),
  }));
  return [
    { kind: 'text', text: legendOf(models) },
    { kind: 'tables', tables },
  ];
}

function mapOf({ project }: Prepared): Table {
  const { columns, rows } = fusionMap(project.model);
  return {
    kind: 'table',
    columns: [{ title: 'layer' }, ...columns.map(({ part }) => ({ title: part }))],
    rows: rows.map(({ place, cells }) => [place, ...cells.map((cell) => (cell === '' ? '.' : cell))]),
  };
}

function facts({ path, sweep, trials, params }: Plan, lines: readonly TrialLine[]): Block {
  const each = (of: (line: TrialLine) => string): string =>
    [...new Set(lines.map(of))].filter((s) => s !== '').join('; ');
  const prepared = trials.flatMap(({ work }) => (typeof work === 'string' ? [] : [work]));
  const [first] = prepared;
  const seeds = new Set(prepared.map(({ recipe }) => recipe.seed));
  const total = lines.reduce((sum, line) => sum + line.seconds, 0);
  const dates = lines.map((line) => line.started.slice(0, 10)).sort();
  const [from, to] = [dates[0] ?? '', dates.at(-1) ?? ''];
  const rows: [string, string][] = [
    ['spec', `${path}, sweep ${sweep.name}`],
    ['with', Object.keys(params).length === 0 ? '' : printSettings(params)],
    ['adapter', first ? `${sweep.adapter} on ${first.project.model.base.name}` : sweep.adapter],
    ['recipe', first ? `${sweep.recipe}: ${printRecipe(first)}` : sweep.recipe],
    ['seeds', [...seeds].join(', ')],
    ['device', each((line) => line.device)],
    ['machine', each((line) => line.machine)],
    [
      'versions',
      each((line) =>
        Object.entries(line.versions)
          .map(([name, version]) => `${name} ${version}`)
          .join(', '),
      ),
    ],
    ['commit', each((line) => line.commit)],
    ['date', from === to ? from : `${from} to ${to}`],
    ['time', total === 0 ? '' : `${duration(total)} in all trials`],
    ['FLOP', 'matrix products of a training step, forward and backward, two for each multiply-add'],
    ['MiB', 'all buffers of the training package'],
  ];
  return { kind: 'facts', rows: rows.filter(([, value]) => value !== '') };
}

function printRecipe({ recipe }: Prepared): string {
  const { mix, optimizer, schedule, steps, epochs, batch, accumulate, average, clip } = recipe;
  const { lr, betas, eps, weightDecay } = optimizer;
  const warmup = printValue({ call: 'duration', args: { ...schedule.warmup } });
  return [
    `${mix.kind}(${mix.parts.map(({ task, count }) => `${task}: ${count}`).join(', ')})`,
    `adamw(lr ${lr}, betas ${betas.join(' ')}, eps ${eps}, weight decay ${weightDecay})`,
    `${schedule.kind}(warmup ${warmup}, floor ${schedule.floor})`,
    steps === null ? `${epochs} epochs` : `${steps} steps`,
    `batch ${batch}${accumulate === 1 ? '' : ` x ${accumulate}, mean of ${average}`}`,
    ...(clip === null ? [] : [`clip ${clip}`]),
  ].join(', ');
}

/** `2 h 5 min`, `3 min 20 s`, `12 s`. */
function duration(value: number): string {
  const whole = Math.round(value);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}

/** The spec's own file first, then what it imports. */
const sources = ({ path, sources: texts }: Plan): Block[] =>
  [...texts]
    .filter(([file]) => !file.startsWith('--set '))
    .sort(([a], [b]) => Number(b === path) - Number(a === path))
    .map(([title, text]) => ({ kind: 'code', title, text }));
