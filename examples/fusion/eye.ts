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
import { encodePictures } from '../../runtime/data/pictures-encoded.ts';
import { parameterNamed, readParameter, writeParameter } from '../../runtime/session.ts';
import type { NewTensor } from '../../runtime/weights/safetensors.ts';
import { promptOf, table } from '../base/evaluate.ts';
import { answererOf } from './answers.ts';
import { loadTokenizer } from '../base/tokens.ts';
import { buildData, writeLists } from './build.ts';
import { classMeans, shareNearest } from './centroids.ts';
import { chooseClasses, classLists, wantedClasses } from './classes.ts';
import { loadConcepts } from './concepts.ts';
import { here, type Lab, modelOf, openLab } from './lab.ts';
import { ask, type Pair } from './lists.ts';
import { shownIn, writePictures } from './pictures.ts';
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
  /** Shares of pictures that its own decoder names right; a classifier has more names to choose from. */
  readonly trained: number;
  readonly heldStyle: number;
  /** Shares of pictures whose frozen tokens are nearest to their own class: the same measure for all. */
  readonly near: { readonly trained: number; readonly heldStyle: number };
  readonly seconds: number;
  readonly tensors: readonly EyeTensor[];
}

/** A tensor of the file, its numbers as they were trained. */
type EyeTensor = NewTensor & { readonly values: Float32Array };

async function trainEye(device: Device, workshop: Workshop, judge: Lab, way: Way): Promise<Eye> {
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
  const tensors = await tensorsOf(lab);
  const eye: Eye = {
    adapter: way.adapter,
    trained: await named(lab, exam.prompt, exam.trained),
    heldStyle: await named(lab, exam.prompt, exam.heldStyle),
    near: await judgeTokens(judge, tensors),
    seconds,
    tensors,
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
async function tensorsOf({ session, input }: Lab): Promise<EyeTensor[]> {
  const own = session.manifest.parameters.filter(({ owner }) => owner === input.part);
  const tensors: EyeTensor[] = [];
  for (const parameter of own) {
    const { name, shape } = parameter;
    tensors.push({ name, shape, values: await readParameter(session, parameter), dtype: 'F16' });
  }
  return tensors;
}

/** Class means of the pictures that captions are trained on, and which drawings as they are lie nearest to their own. */
async function judgeTokens(judge: Lab, tensors: readonly EyeTensor[]): Promise<Eye['near']> {
  const { session, input, workshop, model } = judge;
  for (const { name, values } of tensors) writeParameter(session, parameterNamed(session, name), values);
  const caption = model.tasks.find(({ name }) => name === 'caption');
  if (!caption) throw new Error(`${model.name} has no task caption`);
  const { records, pictures = new Uint32Array() } = await workshop.dataOf(model, caption);
  const encoded = await encodePictures(session, input, workshop.store);
  const means = classMeans(
    records.map(({ image }, i) => ({
      name: shownIn(String(image)),
      features: encoded.get(pictures[i] ?? 0),
    })),
  );
  const share = (pairs: readonly Pair[]): number =>
    shareNearest(
      means,
      pairs.map(({ image }) => ({
        name: shownIn(image),
        features: encoded.get(workshop.numberOf(image)),
      })),
    );
  return { trained: share(workshop.exam.trained), heldStyle: share(workshop.exam.heldStyle) };
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
  // Any design of the experiment: it is there to run encoders as the experiment does.
  const judge = await openLab(device, workshop, modelOf('fusion', 'EarlyDisjoint'), {
    recipe: 'joint',
    seed: 0,
  });
  for (const way of ways)
    if (!options.only || options.only === way.adapter)
      eyes.push(await trainEye(device, workshop, judge, way));
  const best = [...eyes].sort((a, b) => b.near.heldStyle - a.near.heldStyle)[0];
  if (!best) throw new Error(`--only is ${ways.map(({ adapter }) => adapter).join(' or ')}`);
  const rows = eyes.map((eye) => [
    eye.adapter,
    eye.trained.toFixed(3),
    eye.heldStyle.toFixed(3),
    eye.near.trained.toFixed(3),
    eye.near.heldStyle.toFixed(3),
    eye.seconds.toFixed(0),
  ]);
  console.log(
    table(
      ['encoder', 'named: trained', 'held-out style', 'nearest: trained', 'held-out style', 'seconds'],
      rows,
    ),
  );
  if (options.steps) return;
  const metadata = { format: 'graft-encoder/1', trained: best.adapter, seed: options.seed };
  await writeSafetensors(here('eye.safetensors'), best.tensors, metadata);
  console.log(`examples/fusion/eye.safetensors is written: ${best.adapter}`);
}

await main();
