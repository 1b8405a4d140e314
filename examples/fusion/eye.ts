/**
 * Trains the encoder in several ways and keeps the one that knows more of the held-out style:
 *
 *   node --import tsx examples/fusion/eye.ts [--seed 0] [--only Classes|Apart|Through] [--steps N]
 *
 * Writes `eye.safetensors` in float16, which `fusion.adapter` reads. With `--steps` nothing is written.
 */
import { parseArgs } from 'node:util';
import { clock } from '../../runtime/cli/progress.ts';
import { type Device, openDevice } from '../../runtime/device.ts';
import { writeSafetensors } from '../../runtime/files.ts';
import { readParameter } from '../../runtime/session.ts';
import type { NewTensor } from '../../runtime/weights/safetensors.ts';
import { promptOf, table } from '../base/evaluate.ts';
import { answererOf } from './answers.ts';
import { loadTokenizer } from '../base/tokens.ts';
import { buildData, writeLists } from './build.ts';
import { chooseClasses, classLists, wantedClasses } from './classes.ts';
import { loadConcepts } from './concepts.ts';
import { here, type Lab, modelOf, openLab } from './lab.ts';
import { ask, type Pair } from './lists.ts';
import { writePictures } from './pictures.ts';
import { captionsRight } from './score.ts';
import { trainStages } from './train.ts';
import { openWorkshop, type Workshop } from './workshop.ts';

const { values: options } = parseArgs({
  options: {
    seed: { type: 'string', default: '0' },
    only: { type: 'string' },
    steps: { type: 'string' },
  },
});

/** Adapters of eye.adapter, their recipes, and whether their base starts from nothing. */
const ways = [
  { adapter: 'Classes', recipe: 'sorting', scratch: true },
  { adapter: 'Apart', recipe: 'looking', scratch: true },
  { adapter: 'Through', recipe: 'looking_through', scratch: false },
] as const;
type Way = (typeof ways)[number];

interface Eye {
  readonly adapter: string;
  /** Shares of pictures that are named right. */
  readonly trained: number;
  readonly heldStyle: number;
  readonly seconds: number;
  readonly tensors: readonly NewTensor[];
}

async function trainEye(device: Device, workshop: Workshop, way: Way): Promise<Eye> {
  const model = modelOf('eye', way.adapter);
  const lab = await openLab(device, workshop, model, { ...way, seed: Number(options.seed) });
  const steps = Number(options.steps ?? lab.recipe.steps ?? 0);
  const stage = { recipe: { ...lab.recipe, steps }, steps, measureAt: [] };
  const start = performance.now();
  const elapsed = (): number => (performance.now() - start) / 1000;
  await trainStages(lab, [stage], {
    onMeasure: () => Promise.resolve(),
    onStep: (_, loss, done, of) => {
      if (done % 50 !== 0 && done !== of) return;
      const left = clock((elapsed() / done) * (of - done));
      console.error(`${way.adapter}: step ${done}/${of}  loss ${loss.toFixed(3)}  ${left} left`);
    },
  });
  const seconds = elapsed();
  const exam = examOf(workshop, way);
  const eye: Eye = {
    adapter: way.adapter,
    trained: await named(lab, exam.prompt, exam.trained),
    heldStyle: await named(lab, exam.prompt, exam.heldStyle),
    seconds,
    tensors: await tensorsOf(lab),
  };
  lab.session.executor.destroy();
  return eye;
}

/** A classifier is asked nothing, and answers with the token of a class. */
function examOf({ exam, tokenizer }: Workshop, { adapter }: Way) {
  if (adapter !== 'Classes') return { prompt: promptOf(ask), ...exam };
  const concepts = loadConcepts();
  const lists = classLists(chooseClasses(concepts), concepts, tokenizer);
  return { prompt: '', trained: lists['classes.trained.jsonl'], heldStyle: lists['classes.heldstyle.jsonl'] };
}

async function named(lab: Lab, prompt: string, pairs: readonly Pair[]): Promise<number> {
  const answers = await answererOf(lab).answer(
    pairs.map(() => prompt),
    pairs.map(({ image }) => image),
  );
  return captionsRight(pairs, answers);
}

/** The encoder's parameters as they go into the file. */
async function tensorsOf({ session, input }: Lab): Promise<NewTensor[]> {
  const own = session.manifest.parameters.filter(({ owner }) => owner === input.part);
  const tensors: NewTensor[] = [];
  for (const parameter of own) {
    const { name, shape } = parameter;
    tensors.push({ name, shape, values: await readParameter(session, parameter), dtype: 'F16' });
  }
  return tensors;
}

/** Pictures and list of the classes, beside those of the experiment. */
async function buildClasses(say: (text: string) => void): Promise<void> {
  const concepts = await buildData(say);
  const classes = chooseClasses(concepts);
  const { count } = await writePictures('classes.json', wantedClasses(classes, concepts), (done, of) => {
    if (done % 200 === 0) say(`drawn: ${done} of ${of}`);
  });
  say(`${classes.length} classes, ${count} more pictures`);
  writeLists(classLists(classes, concepts, loadTokenizer()), say);
}

async function main(): Promise<void> {
  await buildClasses((text) => console.error(text));
  const device = await openDevice();
  const workshop = await openWorkshop(modelOf('eye', 'Apart'));
  const eyes: Eye[] = [];
  for (const way of ways)
    if (!options.only || options.only === way.adapter) eyes.push(await trainEye(device, workshop, way));
  const best = [...eyes].sort((a, b) => b.heldStyle - a.heldStyle)[0];
  if (!best) throw new Error(`--only is ${ways.map(({ adapter }) => adapter).join(' or ')}`);
  const rows = eyes.map((eye) => [
    eye.adapter,
    eye.trained.toFixed(3),
    eye.heldStyle.toFixed(3),
    eye.seconds.toFixed(0),
  ]);
  console.log(table(['encoder', 'trained pictures', 'held-out style', 'seconds'], rows));
  if (options.steps) return;
  const metadata = { format: 'graft-encoder/1', trained: best.adapter, seed: options.seed };
  await writeSafetensors(here('eye.safetensors'), best.tensors, metadata);
  console.log(`examples/fusion/eye.safetensors is written: ${best.adapter}`);
}

await main();
