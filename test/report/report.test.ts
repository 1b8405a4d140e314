/** Reports: the same said as a page and as text, whatever is in it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { escape, reportHtml } from '../../runtime/report/html.ts';
import {
  boundsOf,
  type Dots,
  type Lines,
  markOf,
  printMark,
  type Report,
  type Table,
} from '../../runtime/report/report.ts';
import { drawDots, drawLines } from '../../runtime/report/svg.ts';
import { blockText, reportText, tableText } from '../../runtime/report/text.ts';
import { checkPage } from './page.ts';

const t = suite('reports');

const at = (x: number, ...values: number[]) => ({ x, ...(markOf(values) ?? { mean: 0, least: 0, most: 0 }) });
const lines: Lines = {
  kind: 'lines',
  title: 'loss',
  x: { label: 'layers' },
  y: { label: 'nats' },
  series: [
    { name: 'one', points: [at(1, 4, 5), at(2, 3), at(3, 2)] },
    { name: 'two', points: [at(1, 4.5), at(3, 0)] },
  ],
};
const dots: Dots = {
  kind: 'dots',
  title: 'accuracy',
  scale: { label: 'share', from: 0, to: 1 },
  series: ['seen', 'unseen'],
  rows: [
    { name: 'prompts', marks: [markOf([0.2, 0.4]), null] },
    { name: 'all', marks: [markOf([1]), markOf([0])] },
  ],
};
const table: Table = {
  kind: 'table',
  title: 'Figures',
  columns: [{ title: 'layer' }, { title: 'loss', right: true }],
  rows: [
    ['first 1', '4.54'],
    ['none', '12.00'],
  ],
};
const report: Report = {
  title: 'A report',
  lead: 'What it is about.',
  sections: [
    {
      title: 'Results',
      blocks: [
        { kind: 'text', text: 'A paragraph.' },
        { kind: 'text', text: 'Beware.', warning: true },
        lines,
        dots,
        table,
      ],
    },
    { title: 'Maps', blocks: [{ kind: 'tables', tables: [table, { ...table, title: 'Others' }] }] },
    {
      title: 'How',
      blocks: [
        { kind: 'facts', rows: [['device', 'llvmpipe']] },
        { kind: 'code', title: 'spec.adapter', text: 'adapter A on b {\n  // nothing\n}\n' },
      ],
    },
  ],
};

t('a page that needs nothing else', () => {
  const page = reportHtml(report);
  checkPage(page);
  for (const text of [
    'A report',
    'What it is about.',
    'A paragraph.',
    'Beware.',
    'loss',
    'accuracy',
    'Figures',
    'Others',
    'llvmpipe',
    'spec.adapter',
    '  // nothing',
    '12.00',
  ])
    assert.ok(page.includes(text), text);
  assert.match(page, '<meta name="viewport" content="width=device-width, initial-scale=1">');
  assert.match(page, '@media print');
  assert.match(page, 'prefers-color-scheme: dark');
  assert.is(page.match(/<figure>/g)?.length, 2);
  assert.match(page, '<a href="#part-2">Maps</a>');
});

t('what comes from outside cannot become markup', () => {
  const evil = '<script src="https://x/">"&\u0000\u001b[31m\ud800</script>';
  const bad = (block: Report['sections'][number]['blocks'][number]): Report => ({
    title: evil,
    lead: evil,
    sections: [{ title: evil, blocks: [block] }],
  });
  const blocks: Report['sections'][number]['blocks'] = [
    { kind: 'text', text: evil },
    { kind: 'facts', rows: [[evil, evil]] },
    { kind: 'code', title: evil, text: evil },
    { kind: 'table', title: evil, columns: [{ title: evil }], rows: [[evil]] },
    {
      ...lines,
      title: evil,
      x: { label: evil },
      y: { label: evil },
      series: lines.series.map((s) => ({ ...s, name: evil })),
    },
    {
      ...dots,
      title: evil,
      scale: { label: evil },
      series: [evil, `${evil}2`],
      rows: dots.rows.map((row, i) => ({ ...row, name: `${evil}${i}` })),
    },
  ];
  for (const block of blocks) checkPage(reportHtml(bad(block)));
  assert.is(
    escape('<a href="x">&\u0007\ud800\u{1F600}</a>'),
    '&lt;a href=&quot;x&quot;&gt;&amp;\ufffd\ufffd\u{1F600}&lt;/a&gt;',
  );
});

t('code between backticks is set as code, and cannot become markup either', () => {
  const page = reportHtml({ title: 'x', lead: 'with `none` and `<b>`, a ` alone', sections: [] });
  assert.match(page, '<p>with <code>none</code> and <code>&lt;b&gt;</code>, a ` alone</p>');
});

t('plots of little or of odd numbers are drawn', () => {
  const one = (points: Lines['series'][number]['points']): Lines => ({
    ...lines,
    series: [{ name: '', points }],
  });
  const plots = [
    one([]),
    one([at(5, 1)]),
    one([at(1, 2), at(2, 2)]),
    one([at(1, 1e12), at(2, -1e-12)]),
    { ...lines, series: [] },
  ];
  for (const plot of plots) {
    checkPage(reportHtml({ title: 'x', sections: [{ title: 'x', blocks: [plot] }] }));
    assert.type(blockText(plot), 'string');
    assert.not.match(drawLines(plot), /NaN|Infinity|undefined/);
  }
  const long = one(Array.from({ length: 60 }, (_, i) => at(i * 7, 4 - i / 20, 4.2 - i / 20)));
  assert.ok((drawLines(long).match(/<path/g)?.length ?? 0) >= 2);
  for (const plot of [dots, { ...dots, rows: [] }, { ...dots, rows: [{ name: 'x', marks: [null, null] }] }])
    assert.not.match(drawDots(plot), /NaN|Infinity|undefined/);
});

t('series are told apart by colour and by shape', () => {
  const drawn = drawLines(lines);
  assert.match(drawn, 'var(--series-1)');
  assert.match(drawn, 'var(--series-2)');
  const shapes = new Set([...drawn.matchAll(/<path[^>]* d="(M[^"]*)"[^>]*>/g)].map((found) => found[1]));
  assert.ok(shapes.size >= 2);
  const page = reportHtml({ title: 'x', sections: [{ title: 'x', blocks: [lines] }] });
  assert.match(page, /<ul class="key"><li><svg[^]*<\/svg>one<\/li><li><svg[^]*<\/svg>two<\/li><\/ul>/);
});

t('the same as text', () => {
  const text = reportText(report);
  assert.match(text, /^A report\n\nWhat it is about\.\n\nResults\n-------\n\nA paragraph\.\n\n! Beware\./);
  assert.match(text, /device {2}llvmpipe/);
  assert.not.match(text, '// nothing', 'code is left out');
  assert.is(
    tableText(table),
    'Figures\n\n| layer   |  loss |\n| ------- | ----: |\n| first 1 |  4.54 |\n| none    | 12.00 |',
  );
});

t('curves in characters', () => {
  const [title, ...rows] = blockText(lines).split('\n');
  assert.is(title, 'loss (nats)');
  assert.match(rows[0] ?? '', /^4\.50 \|\*/, 'both begin near the top, in one place');
  assert.match(rows[12] ?? '', /^ {3}0 \|.*b$/);
  assert.is(
    rows.findLastIndex((row) => row.endsWith('a')),
    7,
    'the mean of 2 is a bit below the middle of 0 and 4.5',
  );
  assert.match(rows[14] ?? '', /^ {6}1 +layers +3$/);
  assert.equal(rows.slice(15), ['      a one', '      b two']);
});

t('dots in characters', () => {
  const [title, seen, unseen, all, none, scale] = blockText(dots).split('\n');
  assert.is(title, 'accuracy (share)');
  assert.match(seen ?? '', /^prompts, seen {3}\| {12}-{6}o-{6} +\| 0\.30 \(0\.20-0\.40\)$/);
  assert.match(unseen ?? '', /^prompts, unseen \| +\| $/);
  assert.match(all ?? '', /^all, seen +\| {60}o\| 1$/);
  assert.match(none ?? '', /^all, unseen +\|o {60}\| 0$/);
  assert.match(scale ?? '', /^ +0 +1$/);
});

t('means and bounds', () => {
  assert.equal(markOf([1, null, 2, undefined, NaN, 6]), { mean: 3, least: 1, most: 6 });
  assert.is(markOf([null, NaN]), null);
  const show = (value: number): string => value.toFixed(1);
  assert.is(printMark(markOf([1, 2]), show), '1.5 (1.0-2.0)');
  assert.is(printMark(markOf([1, 1.01]), show), '1.0');
  assert.is(printMark(null, show), '');
  assert.equal(boundsOf({ label: '' }, [3, 1, 2]), [1, 3]);
  assert.equal(boundsOf({ label: '', from: 0 }, [3]), [0, 3]);
  assert.equal(boundsOf({ label: '', from: 0 }, [0]), [0, 1]);
  assert.equal(boundsOf({ label: '' }, [2]), [1.5, 2.5]);
  assert.equal(boundsOf({ label: '' }, []), [0, 1]);
});

t.run();
