/** docs/results.md: its tables of the fusion experiment are those of the committed trials (`UPDATE=1` writes them). */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { interference, type Outcome } from '../../examples/fusion/report.ts';
import type { Figure } from '../../examples/fusion/score.ts';
import { isFinished, readTrials } from '../../examples/fusion/trials.ts';
import { blockText } from '../../runtime/report/text.ts';
import { checkGenerated } from '../check/generated.ts';

const t = suite('results page');
const root = join(import.meta.dirname, '../..');
const lines = readTrials<Outcome>(join(root, 'examples/fusion/data/results.jsonl'));

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

t('every committed trial finished, and says when and with which commit', () => {
  assert.ok(lines.length > 0);
  for (const line of lines) {
    assert.ok(isFinished(line), line.trial);
    assert.match(line.started, /^\d{4}-/, line.trial);
    assert.match(line.result.commit, /^[0-9a-f]{7,}$/, line.trial);
  }
});

t('the tables are those of the trials', () => {
  const fusion = interference(lines, shown)
    .map(
      ({ title, blocks: [table] }) =>
        `### ${title.charAt(0).toUpperCase()}${title.slice(1)}\n\n${table ? blockText(table) : ''}`,
    )
    .join('\n\n');
  checkGenerated(join(root, 'docs/results.md'), { fusion });
});

t.run();
