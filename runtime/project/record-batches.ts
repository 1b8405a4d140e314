/** Records of a page as batches of a package's training program. */
import { type Batches, createBatches } from '../data/batches.ts';
import { loadData } from '../data/load.ts';
import { rulesFor } from '../data/rules.ts';
import type { TextRecord } from '../data/templates.ts';
import { InputError } from '../input-error.ts';
import { programFor, type Session } from '../session.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';

const FILE = 'records.json';

/**
 * Batches for `trainStep`: records such as `{ instruction, output }` in the task's own template, cut and padded to what the
 * package was compiled for.
 * @throws InputError when there are fewer records than a batch takes, a field is missing, or nothing is left to learn
 */
export async function taskBatches(
  session: Session,
  task: string,
  tokenizer: Tokenizer,
  records: readonly TextRecord[],
): Promise<Batches> {
  const { manifest } = session;
  const { base, recipe, tasks } = manifest;
  const found = tasks.find(({ name }) => name === task);
  if (!found)
    throw new InputError(
      `the package has no task \`${task}\``,
      `it has ${tasks.map(({ name }) => name).join(', ')}`,
    );
  const program = programFor(session, { kind: 'train', task });
  const json = JSON.stringify(records);
  const dataset = await loadData(
    { name: found.data, format: 'instructions', paths: [FILE] },
    {
      host: {
        readText: () => Promise.resolve(json),
        readBytes: () => Promise.resolve(new TextEncoder().encode(json)),
      },
      context: program.tokens,
      vocab: base.vocab,
      ...rulesFor(found.fields, false, tokenizer),
    },
  );
  return createBatches(dataset, {
    batch: program.batch,
    seed: recipe?.seed ?? 0,
    context: base.context,
    tokens: program.tokens,
  });
}
