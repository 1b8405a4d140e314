/** The plots of a sweep: its measures over the params that vary, and training losses over the steps. */
import { printSettings, type Sweep, type SweepAxis } from '../../compiler/model/sweep.ts';
import {
  type Block,
  type Dots,
  type Lines,
  type Mark,
  markOf,
  MOST_SERIES,
  type Scale,
} from '../report/report.ts';
import { type CombinationResult, type Figures, testName } from './results.ts';

/** The most combinations that one plot of dots shows, and the most that get a row each. */
const MOST_ROWS = 40;
const FEW = 12;

/** Loss and accuracy over the values of the sweep. */
export function measurePlots(sweep: Sweep, cells: readonly CombinationResult[]): Block[] {
  const all = cells.flatMap((cell) => cell.figures);
  if (all.length === 0) return [];
  const tests = [
    ...new Set(all.flatMap((f) => f.tests.filter((score) => score.accuracy !== null).map(testName))),
  ];
  const loss = all.some((f) => f.lossOf === 'test') ? 'loss on test data' : 'training loss at the end';
  const plots: Block[] = [];
  if (sweep.measure.includes('loss'))
    plots.push(...plotOf(sweep, cells, loss, { label: 'nats per token' }, (f) => f.loss));
  if (sweep.measure.includes('accuracy'))
    for (const test of tests) {
      const title = tests.length > 1 ? `accuracy, ${test}` : 'accuracy';
      const of = (f: Figures) => f.tests.find((score) => testName(score) === test)?.accuracy;
      plots.push(...plotOf(sweep, cells, title, { label: 'share of exact answers', from: 0, to: 1 }, of));
    }
  return plots;
}

function plotOf(
  sweep: Sweep,
  cells: readonly CombinationResult[],
  title: string,
  scale: Scale,
  of: (figures: Figures) => number | null | undefined,
): Block[] {
  const marks = cells.map((cell) => markOf(cell.figures.map(of)));
  if (marks.every((mark) => mark === null)) return [];
  const axis = numericAxis(sweep.axes);
  const others = sweep.axes.filter((other) => other !== axis);
  const groups = groupsOf(sweep, cells, others);
  if (axis !== null && groups.size <= MOST_SERIES)
    return [linesOf(sweep, cells, marks, axis, groups, title, scale)];
  return [dotsOf(sweep, cells, marks, title, scale)];
}

/**
 * The axis for the horizontal scale: of those whose values are all different numbers, or sets of layers of different
 * sizes, the one with most values (the first of several). An axis of two values makes no curve.
 */
function numericAxis(axes: readonly SweepAxis[]): SweepAxis | null {
  const numeric = axes.filter((axis) => axis.values.length > 2 && placesOf(axis) !== null);
  return [...numeric].sort((a, b) => b.values.length - a.values.length)[0] ?? null;
}

/** Positions of the values of an axis on a scale; null when the values are not numbers or sizes. */
function placesOf({ values }: SweepAxis): readonly number[] | null {
  const numbers = values.map(({ number }) => number);
  const sizes = values.map(({ layers }) => layers?.length ?? null);
  for (const places of [numbers, sizes]) {
    const own = places.filter((place): place is number => place !== null);
    if (own.length === values.length && new Set(own).size === own.length) return own;
  }
  return null;
}

/** Whether the positions of an axis are numbers of layers. */
const countsLayers = ({ values }: SweepAxis): boolean => values.some(({ number }) => number === null);

/** Indices of cells, grouped by their values on the other axes. */
function groupsOf(
  sweep: Sweep,
  cells: readonly CombinationResult[],
  others: readonly SweepAxis[],
): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  cells.forEach((cell, i) => {
    const name = others.map(({ param }) => `${param} = ${cell.params[param] ?? ''}`).join(', ');
    groups.set(name, [...(groups.get(name) ?? []), i]);
  });
  return groups;
}

function linesOf(
  sweep: Sweep,
  cells: readonly CombinationResult[],
  marks: readonly (Mark | null)[],
  axis: SweepAxis,
  groups: ReadonlyMap<string, readonly number[]>,
  title: string,
  y: Scale,
): Lines {
  const places = placesOf(axis) ?? [];
  const at = sweep.axes.indexOf(axis);
  const series = [...groups].map(([name, own]) => ({
    name,
    points: own.flatMap((i) => {
      const [mark, place] = [marks[i], places[sweep.combinations[cells[i]?.combination ?? 0]?.[at] ?? 0]];
      return mark && place !== undefined ? [{ x: place, ...mark }] : [];
    }),
  }));
  const label = countsLayers(axis) ? `${axis.param}, number of layers` : axis.param;
  return { kind: 'lines', title, x: { label }, y, series };
}

/** A row for each combination; where they are many, one for each value of the first axis and a mark for each of the rest. */
function dotsOf(
  sweep: Sweep,
  cells: readonly CombinationResult[],
  marks: readonly (Mark | null)[],
  title: string,
  scale: Scale,
): Dots {
  const [first, ...rest] = sweep.axes;
  const groups = groupsOf(sweep, cells, rest);
  const by = sweep.axes.map(({ param }) => param).join(', ');
  if (first === undefined || cells.length <= FEW || groups.size > MOST_SERIES) {
    const rows = cells.slice(0, MOST_ROWS).map(({ params }, i) => ({
      name: Object.values(params).join(', ') || 'as written',
      marks: [marks[i] ?? null],
    }));
    return { kind: 'dots', title: by === '' ? title : `${title} by ${by}`, scale, series: [''], rows };
  }
  const rows = first.values.map(({ text }) => ({
    name: text,
    marks: [...groups.values()].map(
      (own) => marks[own.find((i) => cells[i]?.params[first.param] === text) ?? -1] ?? null,
    ),
  }));
  return { kind: 'dots', title: `${title} by ${first.param}`, scale, series: [...groups.keys()], rows };
}

/** Training losses of the combinations, mean of the seeds: of all, or of those that ended lowest. */
export function curvePlots(sweep: Sweep, cells: readonly CombinationResult[]): Block[] {
  const tasks = [...new Set(cells.flatMap(({ figures }) => figures.flatMap((f) => Object.keys(f.curve))))];
  const ran = cells.filter(({ figures }) => figures.length > 0);
  const shown = [...ran]
    .sort(
      (a, b) =>
        (markOf(a.figures.map((f) => f.loss))?.mean ?? 0) - (markOf(b.figures.map((f) => f.loss))?.mean ?? 0),
    )
    .slice(0, MOST_SERIES);
  const inOrder = ran.filter((cell) => shown.includes(cell));
  return tasks.flatMap((task): Block[] => {
    const series = inOrder.map((cell) => ({
      name: printSettings(cell.params),
      points: meanCurve(cell.figures.map((f) => f.curve[task] ?? [])),
    }));
    if (series.every(({ points }) => points.length < 2)) return [];
    const of = ran.length > shown.length ? `, the ${shown.length} combinations with the lowest loss` : '';
    const title = `training loss${tasks.length > 1 ? ` of ${task}` : ''}${of}`;
    return [{ kind: 'lines', title, x: { label: 'step' }, y: { label: 'nats per token' }, series }];
  });
}

/** The points of a curve that all seeds have. */
function meanCurve(
  curves: readonly (readonly (readonly [number, number])[])[],
): Lines['series'][number]['points'] {
  const [first = []] = curves;
  return first.flatMap(([x], i) => {
    const values = curves.flatMap((curve) => (curve[i]?.[0] === x ? [curve[i][1]] : []));
    const mark = values.length === curves.length ? markOf(values) : null;
    return mark ? [{ x, ...mark }] : [];
  });
}
