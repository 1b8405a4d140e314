/** Turns a report into one self-contained page: no script, no network, no other file. */
import {
  type Block,
  type Code,
  type Column,
  type Dots,
  type Facts,
  type Lines,
  printable,
  type Report,
  type Section,
  type Table,
} from './report.ts';
import { style } from './style.ts';
import { drawDots, drawLines, drawSymbol } from './svg.ts';

/** The page. */
export function reportHtml(report: Report): string {
  const { title, lead, sections } = report;
  const contents = sections.map(
    (section, i) => `<li><a href="#part-${i + 1}">${escape(section.title)}</a></li>`,
  );
  return [
    '<!DOCTYPE html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escape(title)}</title>`,
    `<style>${style}</style>`,
    '</head>',
    '<body>',
    '<main>',
    `<h1>${escape(title)}</h1>`,
    ...(lead === undefined ? [] : [`<p>${prose(lead)}</p>`]),
    ...(sections.length > 2 ? [`<nav aria-label="Contents"><ul>${contents.join('')}</ul></nav>`] : []),
    ...sections.map(sectionHtml),
    '</main>',
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

/** Escapes text for HTML. */
export const escape = (text: string): string =>
  printable(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');

/** Sentences, with code between backticks as specs document themselves. */
const prose = (text: string): string => escape(text).replace(/`([^`]+)`/g, '<code>$1</code>');

function sectionHtml({ title, blocks }: Section, index: number): string {
  const id = `part-${index + 1}`;
  return [
    `<section id="${id}" aria-labelledby="${id}-title">`,
    `<h2 id="${id}-title">${escape(title)}</h2>`,
    ...runsOf(blocks).map(([first, ...rest]) =>
      isPlot(first)
        ? `<div class="plots">\n${[first, ...rest].map(blockHtml).join('\n')}\n</div>`
        : blockHtml(first),
    ),
    '</section>',
  ].join('\n');
}

const isPlot = (block: Block): block is Lines | Dots => block.kind === 'lines' || block.kind === 'dots';

/** Renders blocks; plots that follow each other share a frame. */
function runsOf(blocks: readonly Block[]): [Block, ...Block[]][] {
  const runs: [Block, ...Block[]][] = [];
  for (const block of blocks) {
    const last = runs.at(-1);
    if (last && isPlot(last[0]) && isPlot(block)) last.push(block);
    else runs.push([block]);
  }
  return runs;
}

function blockHtml(block: Block): string {
  switch (block.kind) {
    case 'text':
      return `<p${block.warning === true ? ' class="warning"' : ''}>${prose(block.text)}</p>`;
    case 'facts':
      return factsHtml(block);
    case 'table':
      return tableHtml(block);
    case 'tables':
      return `<div class="tables">\n${block.tables.map((table) => `<div>${tableHtml(table)}</div>`).join('\n')}\n</div>`;
    case 'lines':
      return figureHtml(
        block,
        drawLines(block),
        block.series.map(({ name }) => name),
      );
    case 'dots':
      return figureHtml(block, drawDots(block), block.series);
    case 'code':
      return codeHtml(block);
  }
}

const factsHtml = ({ rows }: Facts): string =>
  `<dl>\n${rows.map(([name, value]) => `<dt>${escape(name)}</dt><dd>${escape(value)}</dd>`).join('\n')}\n</dl>`;

/** A wide table scrolls inside its own frame, which the keyboard can reach. */
function tableHtml({ title, columns, rows }: Table): string {
  const side = (i: number): string => (columns[i]?.right === true ? ' class="right"' : '');
  const head = columns.map((column, i) => `<th scope="col"${side(i)}>${escape(column.title)}</th>`).join('');
  const body = rows.map(
    (row) =>
      `<tr>${columns.map((column, i) => `<td${side(i)}>${cellHtml(row[i] ?? '', column)}</td>`).join('')}</tr>`,
  );
  const label = escape(title ?? columns[0]?.title ?? 'table');
  return [
    // Not a caption, which would scroll with the table.
    ...(title === undefined ? [] : [`<p class="title">${label}</p>`]),
    `<div class="wide" role="region" aria-label="${label}" tabindex="0"><table>`,
    `<thead><tr>${head}</tr></thead>`,
    `<tbody>${body.join('\n')}</tbody>`,
    '</table></div>',
  ].join('\n');
}

/** On paper, where cells are broken into lines, a range stays in one piece. */
const cellHtml = (text: string, { right }: Column): string =>
  right === true ? escape(text).replace(/\([^()]*\)/g, '<span>$&</span>') : escape(text);

function figureHtml(plot: Lines | Dots, svg: string, names: readonly string[]): string {
  const key = names.length < 2 ? '' : `<ul class="key">${names.map(keyHtml).join('')}</ul>`;
  const drawing = svg.replace('<svg ', `<svg aria-label="${escape(plot.title)}" `);
  const unit = plot.kind === 'lines' ? plot.y.label : plot.scale.label;
  const caption = `${escape(plot.title)} <span>${escape(unit)}</span>`;
  return `<figure>\n<figcaption>${caption}</figcaption>\n${drawing}\n${key}</figure>`;
}

const keyHtml = (name: string, i: number): string => `<li>${drawSymbol(i)}${escape(name)}</li>`;

const codeHtml = ({ title, text }: Code): string =>
  `${title === undefined ? '' : `<h3>${escape(title)}</h3>\n`}<pre tabindex="0"><code>${escape(text)}</code></pre>`;
