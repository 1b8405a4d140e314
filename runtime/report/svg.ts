/** Plots as SVG, drawn by Observable Plot on a document outside of a browser. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { boundsOf, type Dots, type Lines, type Mark, printable } from './report.ts';

/**
 * Width in units of the drawing: near the width of a phone, so that text in a plot is as large there as text beside it.
 */
const WIDTH = 380;
const HEIGHT = 250;
const FONT = 12;
/** Approximate width of a letter. */
const LETTER = 6.2;
/** Height of a series within a row of dots, and the least height of a row. */
const LANE = 15;
const ROW = 26;
/** Points of a curve up to which each is marked, with its range. */
const MARKED = 12;

/** The look of each series; colours are variables of the page's style, which has a light and a dark version. */
const SYMBOLS = ['circle', 'square', 'triangle', 'diamond', 'cross', 'star', 'wye', 'asterisk'] as const;
const colourOf = (series: number): string => `var(--series-${(series % SYMBOLS.length) + 1})`;
const symbolOf = (series: number): (typeof SYMBOLS)[number] => SYMBOLS[series % SYMBOLS.length] ?? 'circle';

/** The mark of a series in the key. */
export function drawSymbol(series: number): string {
  const colour = colourOf(series);
  const dot = {
    frameAnchor: 'middle',
    symbol: symbolOf(series),
    r: 4.5,
    fill: colour,
    stroke: colour,
  } as const;
  return draw({ width: 14, height: 14, margin: 0, marks: [Plot.dot([0], dot)] }).replace(
    'role="img"',
    'aria-hidden="true"',
  );
}

function draw(options: Plot.PlotOptions): string {
  const { document } = parseHTML('<html></html>');
  const svg = Plot.plot({
    document,
    width: WIDTH,
    style: { fontSize: `${FONT}px`, background: 'none' },
    ...options,
  });
  svg.setAttribute('role', 'img');
  // Without width and height the drawing scales with its column of the page.
  svg.removeAttribute('width');
  svg.removeAttribute('height');
  return printable(svg.outerHTML);
}

/** Curves over a number; a series of several seeds has a band from least to most. */
export function drawLines(plot: Lines): string {
  const marks = plot.series.flatMap(({ points }, i): Plot.Markish[] => {
    const [stroke, data] = [colourOf(i), [...points].sort((a, b) => a.x - b.x)];
    const spread = data.some(({ least, most }) => least < most);
    const band = { x: 'x', y1: 'least', y2: 'most', fill: stroke, fillOpacity: 0.15 };
    return [
      ...(spread && data.length > 1 ? [Plot.areaY(data, band)] : []),
      ...(data.length > 1 ? [Plot.lineY(data, { x: 'x', y: 'mean', stroke, strokeWidth: 1.75 })] : []),
      ...(data.length > MARKED
        ? []
        : [Plot.ruleX(data, { x: 'x', y1: 'least', y2: 'most', stroke, strokeWidth: 1.25 })]),
      Plot.dot(marked(data, i), { x: 'x', y: 'mean', fill: stroke, stroke, symbol: symbolOf(i), r: 3.5 }),
    ];
  });
  const xs = [...new Set(plot.series.flatMap(({ points }) => points.map(({ x }) => x)))].sort(
    (a, b) => a - b,
  );
  return draw({
    height: HEIGHT,
    marginLeft: 48,
    marginBottom: 40,
    marginRight: 14,
    marginTop: 8,
    // Where there are few places, each has its tick; otherwise round numbers do.
    x: {
      label: plot.x.label,
      labelAnchor: 'center',
      labelArrow: 'none',
      domain: boundsOf(plot.x, xs),
      grid: false,
      ...(xs.length <= 8 ? { ticks: xs, tickFormat: String } : { ticks: 5 }),
    },
    y: {
      label: null,
      domain: boundsOf(
        plot.y,
        plot.series.flatMap(({ points }) => points.flatMap(numbersOf)),
      ),
      grid: true,
      ticks: 5,
      zero: false,
    },
    marks: [Plot.frame({ strokeOpacity: 0.25 }), ...marks],
  });
}

/**
 * Points of a curve to mark: all points of a short curve, a few of a long one, so that curves can be told apart without
 * colour.
 */
function marked<T>(points: readonly T[], series: number): T[] {
  const apart = points.length > MARKED ? Math.ceil(points.length / 6) : 1;
  return points.filter((_, i) => i % apart === (series * 2) % apart);
}

const numbersOf = ({ mean, least, most }: Mark): number[] => [mean, least, most];

/** Rows of dots, each with a line from least to most; the series of a row stand one below the other. */
export function drawDots(plot: Dots): string {
  const height = Math.max(ROW, LANE * plot.series.length + 8);
  const values = plot.rows.flatMap(({ marks }) => marks.flatMap((mark) => (mark ? numbersOf(mark) : [])));
  const offset = (series: number): number => (series - (plot.series.length - 1) / 2) * LANE;
  const marks = plot.series.flatMap((_, i): Plot.Markish[] => {
    const data = plot.rows.flatMap(({ name, marks: own }) => (own[i] ? [{ name, ...own[i] }] : []));
    const [stroke, dy] = [colourOf(i), offset(i)];
    return [
      Plot.ruleY(data, { y: 'name', x1: 'least', x2: 'most', stroke, strokeWidth: 1.5, dy }),
      Plot.dot(data, { y: 'name', x: 'mean', fill: stroke, stroke, symbol: symbolOf(i), r: 4, dy }),
    ];
  });
  const longest = Math.max(0, ...plot.rows.map(({ name }) => name.length));
  const margin = Math.min(WIDTH * 0.45, 14 + longest * LETTER);
  return draw({
    height: 38 + plot.rows.length * height,
    marginLeft: margin,
    marginRight: 14,
    marginTop: 12,
    marginBottom: 26,
    x: { label: null, domain: boundsOf(plot.scale, values), grid: true, ticks: 5, nice: true },
    y: { label: null, domain: plot.rows.map(({ name }) => name), type: 'point', padding: 0.5, axis: null },
    marks: [
      Plot.gridY({ strokeOpacity: 0.08 }),
      Plot.axisY({ label: null, tickSize: 0, lineWidth: (margin - 12) / FONT, textOverflow: 'ellipsis' }),
      ...marks,
    ],
  });
}
