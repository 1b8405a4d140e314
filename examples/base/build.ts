/**
 * Makes everything the base and its instructions are trained from:
 *
 *   npm run base -- corpus
 *
 * `tokenizer.json` and `data/*.jsonl` are committed and come out the same again; text and token files go to
 * `.cache/base`, which is not.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildCorpus } from './corpus.ts';
import {
  buildTokenFiles,
  buildTokenizer,
  instructionTokens,
  loadTokenizer,
  tokenizerFile,
} from './tokens.ts';
import { buildInstructions, collectWords, countTasks, toJsonl, type Instruction } from './words.ts';

const cache = fileURLToPath(new URL('../../.cache/base/', import.meta.url));
const data = fileURLToPath(new URL('data/', import.meta.url));
mkdirSync(cache, { recursive: true });
mkdirSync(data, { recursive: true });

const corpus = buildCorpus();
for (const name of ['train', 'heldout'] as const) {
  const lines = corpus[name];
  writeFileSync(`${cache}text.${name}.txt`, `${lines.join('\n')}\n`);
  const count = lines.reduce((sum, line) => sum + line.split(' ').length, 0);
  console.log(`text.${name}.txt: ${lines.length} paragraphs, ${count} words`);
}

writeFileSync(tokenizerFile, `${JSON.stringify(buildTokenizer(corpus.train))}\n`);
const tokenizer = loadTokenizer();
console.log(`tokenizer.json: ${tokenizer.vocabSize} tokens`);

const tokensOf = (item: Instruction): number => instructionTokens(item, tokenizer).tokens.length;
for (const [name, items] of Object.entries(buildInstructions(collectWords(), tokensOf))) {
  writeFileSync(`${data}instructions.${name}.jsonl`, toJsonl(items));
  console.log(
    `data/instructions.${name}.jsonl: ${items.length} examples ${JSON.stringify(countTasks(items))}`,
  );
}

for (const { name, ids } of buildTokenFiles(corpus, tokenizer)) {
  writeFileSync(`${cache}${name}`, ids);
  console.log(`${name}: ${ids.length} tokens`);
}
