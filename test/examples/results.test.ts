/** docs/results.md: its tables of experiments are those of the committed trials (`UPDATE=1` writes them). */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nodeHost } from '../../runtime/hosts/node.ts';
import { type Assisted, assistedTable } from '../../examples/fusion/assisted-table.ts';
import { buildData } from '../../examples/fusion/build.ts';
import { interference, type Outcome } from '../../examples/fusion/report.ts';
import type { Figure } from '../../examples/fusion/score.ts';
import { isFinished, type Line, readTrials } from '../../examples/fusion/trials.ts';
import { planSweep } from '../../runtime/sweep/plan.ts';
import { sweepReport } from '../../runtime/sweep/report.ts';
import { readResults } from '../../runtime/sweep/stores/folder.ts';
import type { Table } from '../../runtime/report/report.ts';
import { blockText } from '../../runtime/report/text.ts';
import { checkGenerated } from '../check/generated.ts';

const t = suite('results page');
const examples = join(import.meta.dirname, '../../examples');
const lines = readTrials<Outcome>(join(examples, 'fusion/data/results.jsonl'));
const assisted = readTrials<Assisted>(join(examples, 'fusion/data/assisted.jsonl'));

/** Columns that fit a page. */
const shown: readonly Figure[] = [
  'text',
  'textLoss',
  'pictured',
  'questions',
  'captions',
  'captionsHeldStyle',
  'gateEarly',
  'gateLate',
];

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function fusionTables(): string {
  const tables = interference(lines, shown).map(({ title, blocks: [table] }) =>
    [`### ${capital(title)}`, ...(table ? [blockText(table)] : [])].join('\n\n'),
  );
  return tables.join('\n\n');
}

/** A table with several tests without their losses and means, so that it fits a page. */
function narrowed(table: Table): Table {
  const kept = table.columns.flatMap(({ title }, i) => (/^loss .|, mean$/.test(title) ? [] : [i]));
  const pick = <T>(cells: readonly T[]): T[] => kept.map((i) => cells[i]!);
  return { ...table, columns: pick(table.columns), rows: table.rows.map(pick) };
}

/** The tables of a sweep, of the trials that the spec of now stands for, and how many of them there are. */
async function sweepTable(sweep: string, data: string, finished: string): Promise<string> {
  const folder = join(examples, data);
  assert.ok(existsSync(join(folder, 'results.jsonl')), `${data} has results`);
  const report = sweepReport(await planSweep(nodeHost, join(examples, sweep), {}), readResults(folder));
  assert.match(report.lead ?? '', new RegExp(` ${finished} trials finished\\b`), sweep);
  const tables = report.sections.find(({ title }) => title === 'Results')?.blocks ?? [];
  return tables.flatMap((block) => (block.kind === 'table' ? [blockText(narrowed(block))] : [])).join('\n\n');
}

t('every committed trial finished, and says when and with which commit', () => {
  assert.ok(lines.length > 0 && assisted.length > 0);
  for (const line of [...lines, ...assisted] as readonly Line<unknown>[]) {
    assert.ok(isFinished(line), line.trial);
    assert.match(line.started, /^\d{4}-/, line.trial);
  }
  for (const line of lines) assert.match(isFinished(line) ? line.result.commit : '', /^[0-9a-f]{7,}$/);
});

t('the tables are those of the trials', async () => {
  // What a sweep's trials are known by includes their data.
  await buildData();
  checkGenerated(join(examples, '../docs/results.md'), {
    fusion: fusionTables(),
    experts: assistedTable(assisted),
    placements: await sweepTable('fusion/fusion.adapter:layers', 'fusion/data/layers', '24 of 72'),
    ways: await sweepTable('fusion/fusion.adapter:ways', 'fusion/data/ways', '9 of 27'),
    gates: await sweepTable('reproductions/gates.adapter', 'reproductions/gates', '9 of 9'),
    layers: await sweepTable('reproductions/layers.adapter', 'reproductions/layers', '18 of 18'),
    parts: await sweepTable('reproductions/parts.adapter', 'reproductions/parts', '15 of 15'),
  });
});

t.run();
