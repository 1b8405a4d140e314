/**
 * Makes the pictures and the lists of the fusion experiment:
 *
 *   npm run fusion -- data
 *
 * Everything goes to `.cache/fusion`; `data/concepts.json`, which is committed, says what is drawn. With `--concepts`
 * that list is chosen anew first.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { instructionTokens, loadTokenizer } from '../base/tokens.ts';
import { collectWords, type Instruction } from '../base/words.ts';
import { chooseConcepts, type Concept, conceptsFile, loadConcepts, roles, toManifest } from './concepts.ts';
import { buildLists, toLines } from './lists.ts';
import { cacheFolder, wantedPictures, writePictures } from './draw.ts';

/** The text instructions that the lists put pictures to. */
export function readInstructions(name: 'train' | 'heldout'): Instruction[] {
  const file = new URL(`../base/data/instructions.${name}.jsonl`, import.meta.url);
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Instruction);
}

/** Makes what is not there yet; a second call changes nothing. */
export async function buildData(say: (text: string) => void = () => undefined): Promise<readonly Concept[]> {
  const concepts = loadConcepts();
  mkdirSync(cacheFolder, { recursive: true });
  const { count, made } = await writePictures('pictures.json', wantedPictures(concepts), (done, of) => {
    if (done % 60 === 0) say(`drawn: ${done} of ${of}`);
  });
  say(`${count} pictures${made ? '' : ', made before'}`);
  const instructions = { train: readInstructions('train'), heldout: readInstructions('heldout') };
  const tokenizer = loadTokenizer();
  const lists = buildLists(concepts, instructions, (it) => instructionTokens(it, tokenizer).tokens.length);
  writeLists(lists, say);
  return concepts;
}

/** Writes lists into the cache; a file that is as it should be is left alone, since another process may read it. */
export function writeLists(
  lists: Readonly<Record<string, readonly object[]>>,
  say: (text: string) => void,
): void {
  for (const [name, items] of Object.entries(lists)) {
    const [path, text] = [cacheFolder + name, toLines(items)];
    if (!existsSync(path) || readFileSync(path, 'utf8') !== text) writeFileSync(path, text);
    say(`${name}: ${items.length} examples`);
  }
}

async function main(): Promise<void> {
  if (process.argv.includes('--concepts')) {
    const chosen = chooseConcepts(collectWords(), loadTokenizer());
    writeFileSync(conceptsFile, toManifest(chosen));
    for (const role of roles) {
      const names = chosen.filter((concept) => concept.role === role).map(({ name }) => name);
      console.log(`${role}: ${names.length}: ${names.join(', ')}`);
    }
  }
  await buildData((text) => console.log(text));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
