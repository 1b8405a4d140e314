/** docs/results.md: its tables of experiments are those of the committed trials (`UPDATE=1` writes them). */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Assisted, assistedTable } from '../../examples/fusion/assisted-table.ts';
import { interference, type Outcome } from '../../examples/fusion/report.ts';
import type { Figure } from '../../examples/fusion/score.ts';
import { isFinished, type Line, readTrials } from '../../examples/fusion/trials.ts';
import { planSweep } from '../../runtime/cli/sweep/plan.ts';
import { sweepReport } from '../../runtime/cli/sweep/report.ts';
import { readResults } from '../../runtime/cli/sweep/results.ts';
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

/** The table of a reproduction, of the trials that the spec of now stands for. */
async function sweepTable(name: string): Promise<string> {
  const folder = join(examples, 'reproductions', name);
  assert.ok(existsSync(join(folder, 'results.jsonl')), `${name} has results`);
  const report = sweepReport(await planSweep(`${folder}.adapter`, {}), readResults(folder));
  assert.match(report.lead ?? '', / (\d+) of \1 trials finished\.$/, name);
  const tables = report.sections.find(({ title }) => title === 'Results')?.blocks ?? [];
  return tables
    .filter(({ kind }) => kind === 'table')
    .map(blockText)
    .join('\n\n');
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
  checkGenerated(join(examples, '../docs/results.md'), {
    fusion: fusionTables(),
    experts: assistedTable(assisted),
    gates: await sweepTable('gates'),
    layers: await sweepTable('layers'),
  });
});

t.run();
