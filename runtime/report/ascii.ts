/** Plots in characters, for a terminal. */
import { boundsOf, type Dots, type Lines, type Mark, printMark } from './report.ts';

const MARKS = 'abcdefgh';
const WIDTH = 60;
const HEIGHT = 12;

/** A number short enough for an axis. */
export function short(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e5) return String(value);
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) return value.toExponential(1);
  return size >= 100 ? value.toFixed(0) : size >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** Curves, one letter a series; `*` where several meet. */
export function drawLines(plot: Lines): string {
  const all = plot.series.flatMap(({ points }) => points);
  if (all.length === 0) return '';
  const [left, right] = boundsOf(
    plot.x,
    all.map(({ x }) => x),
  );
  const [low, high] = boundsOf(
    plot.y,
    all.map(({ mean }) => mean),
  );
  const cells = Array.from({ length: HEIGHT + 1 }, () => Array.from({ length: WIDTH + 1 }, () => ' '));
  plot.series.forEach(({ points }, index) => {
    for (const { x, mean } of points) {
      const share = Math.min(1, Math.max(0, (mean - low) / (high - low)));
      const row = cells[Math.round((1 - share) * HEIGHT)];
      const column = Math.round(((x - left) / (right - left)) * WIDTH);
      const mark = MARKS[index] ?? '?';
      if (row) row[column] = row[column] === ' ' || row[column] === mark ? mark : '*';
    }
  });
  const label = (i: number): string => (i % 3 === 0 ? short(high - (i / HEIGHT) * (high - low)) : '');
  const margin = Math.max(...cells.map((_, i) => label(i).length));
  const body = cells.map((row, i) => `${label(i).padStart(margin)} |${row.join('').trimEnd()}`);
  const [from, to] = [short(left), short(right)];
  const room = WIDTH + 1 - from.length - to.length;
  const middle = plot.x.label.padStart(Math.ceil((room + plot.x.label.length) / 2)).padEnd(room);
  const blank = ' '.repeat(margin + 1);
  return [
    `${plot.title} (${plot.y.label})`,
    ...body,
    `${blank}+${'-'.repeat(WIDTH + 1)}`,
    `${blank} ${from}${middle}${to}`,
    ...(plot.series.length > 1
      ? plot.series.map(({ name }, i) => `${blank} ${MARKS[i] ?? '?'} ${name}`)
      : []),
  ].join('\n');
}

/** Rows of dots: a line of text for each row and series, from least to most, with an `o` at the mean. */
export function drawDots(plot: Dots): string {
  const marks = plot.rows.flatMap((row) => row.marks.filter((mark): mark is Mark => mark !== null));
  if (marks.length === 0) return '';
  const bounds = boundsOf(
    plot.scale,
    marks.flatMap(({ least, most }) => [least, most]),
  );
  const names = plot.rows.flatMap(({ name, marks: own }) =>
    own.map((_, i) => (plot.series.length > 1 ? `${name}, ${plot.series[i]}` : name)),
  );
  const margin = Math.max(...names.map((name) => name.length));
  const lines = plot.rows
    .flatMap((row) => row.marks)
    .map(
      (mark, i) => `${(names[i] ?? '').padEnd(margin)} |${barOf(mark, bounds)}| ${printMark(mark, short)}`,
    );
  const [from, to] = bounds.map(short);
  const scale = `${' '.repeat(margin + 2)}${from}${(to ?? '').padStart(WIDTH + 1 - (from ?? '').length)}`;
  return [`${plot.title} (${plot.scale.label})`, ...lines, scale].join('\n');
}

function barOf(mark: Mark | null, [low, high]: readonly [number, number]): string {
  const at = (value: number): number =>
    Math.round(Math.min(1, Math.max(0, (value - low) / (high - low))) * WIDTH);
  return Array.from({ length: WIDTH + 1 }, (_, i) => {
    if (mark === null) return ' ';
    if (i === at(mark.mean)) return 'o';
    return i >= at(mark.least) && i <= at(mark.most) ? '-' : ' ';
  }).join('');
}
