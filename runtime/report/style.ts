/** The style sheet of a report: light and dark, on a phone and on paper. */

/** Colours of series that people with any kind of colour vision tell apart, on white and on near black. */
const light = ['#0060b0', '#c2410c', '#00794f', '#9c2f86', '#8a6100', '#007a8a', '#b0203a', '#555555'];
const dark = ['#6cb6ff', '#ff9e64', '#4fd1a1', '#e591d3', '#e5c15c', '#5fd3e3', '#ff8a9c', '#bbbbbb'];
const series = (colours: readonly string[]): string =>
  colours.map((colour, i) => `--series-${i + 1}: ${colour};`).join(' ');

const lightPage = `--page: #ffffff; --ink: #1a1c1f; --faint: #5b6169; --rule: #d5d9de; --panel: #f4f6f8; --warn: #8a3b00; --edge: #0003; ${series(light)}`;
const darkPage = `--page: #14171a; --ink: #e6e8ea; --faint: #a0a7af; --rule: #3a4047; --panel: #1e2226; --warn: #ffb27a; --edge: #fff4; ${series(dark)}`;

export const style = `
:root { color-scheme: light dark; ${lightPage} }
@media (prefers-color-scheme: dark) { :root { ${darkPage} } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 1.25rem 1rem 3rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.25rem 0 .75rem; padding-top: .75rem; border-top: 1px solid var(--rule); }
p { margin: .5rem 0 1rem; max-width: 46rem; overflow-wrap: anywhere; }
p.warning { color: var(--warn); font-weight: 600; }
nav ul { margin: .75rem 0 0; padding: 0; list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; }
nav a { color: inherit; display: inline-block; padding: .25rem 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.25rem; margin: 0 0 1rem; }
dt { color: var(--faint); }
dd { margin: 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; margin: 0 0 1rem; background:
  linear-gradient(to right, var(--page) 40%, transparent) left / 2rem 100% no-repeat local,
  linear-gradient(to left, var(--page) 40%, transparent) right / 2rem 100% no-repeat local,
  linear-gradient(to right, var(--edge), transparent) left / .75rem 100% no-repeat scroll,
  linear-gradient(to left, var(--edge), transparent) right / .75rem 100% no-repeat scroll; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
p.title { font-weight: 600; margin: 1rem 0 .25rem; }
th, td { text-align: left; vertical-align: baseline; padding: .375rem .75rem; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th { color: var(--faint); font-weight: 600; }
th:first-child, td:first-child { padding-left: 0; }
td.right, th.right { text-align: right; }
.plots, .tables { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 21rem), 1fr)); gap: 1.5rem 2.5rem; margin: 0 0 1rem; }
.tables { grid-template-columns: repeat(auto-fill, minmax(min(100%, 16rem), 1fr)); gap: 1rem 2rem; align-items: start; }
.tables .wide { margin: 0; }
.tables th, .tables td { padding: .125rem .5rem; }
.tables th:first-child, .tables td:first-child { padding-left: 0; }
.tables p.title { margin-top: 0; }
figure { margin: 0; min-width: 0; }
figcaption { font-weight: 600; margin-bottom: .25rem; }
figcaption span { font-weight: 400; color: var(--faint); }
figure svg { display: block; width: 100%; max-width: 34rem; height: auto; }
ul.key { list-style: none; margin: .25rem 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: 0 1rem; }
ul.key svg { display: inline-block; width: .8em; height: .8em; margin-right: .375em; }
pre { margin: 0 0 1rem; padding: .75rem 1rem; background: var(--panel); overflow-x: auto; font: .875rem/1.45 ui-monospace, monospace; tab-size: 2; }
h3 { font-size: 1rem; margin: 1rem 0 .375rem; overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin: 0 0 .5rem; }
}
@media print {
  :root { color-scheme: light; ${lightPage} }
  @page { margin: 15mm; }
  body { font-size: 10pt; }
  main { max-width: none; padding: 0; }
  nav { display: none; }
  h2, h3, p.title, figcaption { break-after: avoid; }
  figure, tr, .tables > div { break-inside: avoid; }
  thead { display: table-header-group; }
  .wide, pre { overflow: visible; }
  .wide { background: none; }
  th, td { white-space: normal; padding: 2pt 6pt; font-size: 8.5pt; }
  td.right span { white-space: nowrap; }
  .plots { grid-template-columns: 1fr 1fr; }
  .tables { grid-template-columns: repeat(3, 1fr); }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid var(--rule); font-size: 8pt; }
}
`.trim();
