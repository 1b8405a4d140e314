/** What docs/results.md says of trials that were run before `border` was: prompt and answer apart are the same tokens. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadData } from '../../runtime/data/load.ts';
import { rulesFor } from '../../runtime/data/rules.ts';
import { nodeHost } from '../../runtime/hosts/node.ts';
import { openProject } from '../../runtime/project/spec.ts';
import { tokenizerOf } from '../../runtime/project/tokenizer.ts';

const t = suite('border of prompt and answer');
const here = (path: string): string => fileURLToPath(new URL(`../../examples/base/${path}`, import.meta.url));

t('every tenth instruction has the same tokens and labels apart and joined', async () => {
  const project = await openProject(nodeHost, here('instruct.adapter'));
  const { base, tasks } = project.model;
  const tokenizer = await tokenizerOf(project);
  const lines = readFileSync(here('data/instructions.train.jsonl'), 'utf8').trim().split('\n');
  const text = lines.filter((_, i) => i % 10 === 0).join('\n');
  const examplesWith = async (border: string) => {
    const { examples } = await loadData(
      { name: 'd', format: 'instructions', paths: ['d.jsonl'] },
      {
        host: {
          readText: () => Promise.resolve(text),
          readBytes: () => Promise.reject(new Error('no bytes')),
        },
        ...{ context: base.context, vocab: base.vocab },
        ...rulesFor({ ...tasks[0]?.fields, border }, false, tokenizer),
      },
    );
    return examples;
  };
  const [apart, joined] = [await examplesWith('apart'), await examplesWith('joined')];
  assert.is(apart.length, 1185);
  assert.equal(apart, joined);
});

t.run();
