/**
 * Trains the encoder in several ways and keeps the one that knows more of the held-out style:
 *
 *   npm run fusion -- eye [--seed 0] [--only Summary|Apart|Through] [--steps N]
 *   npm run fusion -- eye --judge
 *
 * Writes `eye.safetensors` in float16, which `fusion.adapter` reads. With `--steps` nothing is written.
 * `--judge` trains nothing and says what the file that is there knows.
 */
import { parseArgs } from 'node:util';
import { clock } from '../../runtime/cli/progress.ts';
import { type Device, openDevice } from '../../runtime/device/device.ts';
import { writeSafetensors } from '../../runtime/files/write.ts';
import { nodeHost } from '../../runtime/hosts/node.ts';
import { encodePictures } from '../../runtime/project/encoded-images.ts';
import { readTaskData } from '../../runtime/project/task-data.ts';
import { parameterNamed, readParameter, writeParameter } from '../../runtime/session.ts';
import type { NewTensor } from '../../runtime/weights/safetensors.ts';
import { promptOf, table } from '../base/evaluate.ts';
import { answererOf } from './answers.ts';
import { loadTokenizer } from '../base/tokens.ts';
import { buildData, writeLists } from './build.ts';
import { classMeans, shareNearest } from './centroids.ts';
import { chooseClasses, classLists, wantedClasses } from './classes.ts';
import { loadConcepts } from './concepts.ts';
import { here, type Candidate, modelOf, openCandidate } from './candidate.ts';
import { ask, type Pair } from './lists.ts';
import { shownIn, writePictures } from './draw.ts';
import { captionsRight } from './score.ts';
import { trainStages } from './train.ts';
import { openMaterials, type Materials } from './materials.ts';

const { values: options } = parseArgs({
  options: {
    seed: { type: 'string', default: '0' },
    only: { type: 'string' },
    steps: { type: 'string' },
    judge: { type: 'boolean', default: false },
  },
});

/** An adapter of eye.adapter, its recipe, and whether its base starts from nothing. */
interface Course {
  readonly adapter: string;
  readonly recipe: string;
  readonly scratch: boolean;
}

/** Ways to train an encoder: courses one after the other, each with the encoder of the one before. */
const ways: readonly (readonly Course[])[] = [
  [
    { adapter: 'Classes', recipe: 'sorting', scratch: true },
    { adapter: 'Concepts', recipe: 'knowing', scratch: true },
    { adapter: 'Summary', recipe: 'summing', scratch: true },
  ],
  [{ adapter: 'Apart', recipe: 'looking', scratch: true }],
  [{ adapter: 'Through', recipe: 'looking_through', scratch: false }],
];
const nameOf = (way: readonly Course[]): string => way.at(-1)?.adapter ?? '';

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

async function trainEye(
  device: Device,
  materials: Materials,
  judge: Candidate,
  way: readonly Course[],
): Promise<Eye> {
  const start = performance.now();
  let tensors: readonly EyeTensor[] = [];
  let shares = { trained: 0, heldStyle: 0 };
  for (const course of way) {
    const initial = new Map(tensors.map(({ name, values }) => [name, values]));
    const candidate = await openCandidate(device, materials, modelOf('eye', course.adapter), {
      ...course,
      seed: Number(options.seed),
      initial,
    });
    try {
      await trainCourse(candidate, course.adapter);
      tensors = await tensorsOf(candidate);
      const exam = examOf(materials, course.adapter);
      shares = {
        trained: await named(candidate, exam.prompt, exam.trained),
        heldStyle: await named(candidate, exam.prompt, exam.heldStyle),
      };
    } finally {
      candidate.session.executor.destroy();
    }
  }
  const seconds = (performance.now() - start) / 1000;
  return { adapter: nameOf(way), ...shares, near: await judgeTokens(judge, tensors), seconds, tensors };
}

async function trainCourse(candidate: Candidate, name: string): Promise<void> {
  const steps = Number(options.steps ?? candidate.recipe.steps ?? 0);
  const start = performance.now();
  await trainStages(candidate, [{ recipe: { ...candidate.recipe, steps }, steps, measureAt: [] }], {
    onMeasure: () => Promise.resolve(),
    onStep: (_, loss, done, of) => {
      if (done % 50 !== 0 && done !== of) return;
      const left = clock(((performance.now() - start) / 1000 / done) * (of - done));
      console.error(`${name}: step ${done}/${of}  loss ${loss.toFixed(3)}  ${left} left`);
    },
  });
}

/** A classifier is asked nothing, and answers with the token of a class. */
function examOf({ exam, tokenizer }: Materials, adapter: string) {
  if (adapter === 'Apart' || adapter === 'Through') return { prompt: promptOf(ask), ...exam };
  const concepts = loadConcepts();
  const lists = classLists(chooseClasses(concepts), concepts, tokenizer);
  return { prompt: '', trained: lists['classes.trained.jsonl'], heldStyle: lists['classes.heldstyle.jsonl'] };
}

async function named(candidate: Candidate, prompt: string, pairs: readonly Pair[]): Promise<number> {
  const answers = await answererOf(candidate).answer(
    pairs.map(() => prompt),
    pairs.map(({ image }) => image),
  );
  return captionsRight(pairs, answers);
}

/** The encoder's parameters as they go into the file. */
async function tensorsOf({ session, input }: Candidate): Promise<EyeTensor[]> {
  const own = session.manifest.parameters.filter(({ owner }) => owner === input.part);
  const tensors: EyeTensor[] = [];
  for (const parameter of own) {
    const { name, shape } = parameter;
    tensors.push({ name, shape, values: await readParameter(session, parameter), dtype: 'F16' });
  }
  return tensors;
}

/** Class means of the pictures that captions are trained on, and which drawings as they are lie nearest to their own. */
async function judgeTokens(judge: Candidate, tensors: readonly EyeTensor[]): Promise<Eye['near']> {
  const { session, input, materials, model } = judge;
  for (const { name, values } of tensors) writeParameter(session, parameterNamed(session, name), values);
  const caption = model.tasks.find(({ name }) => name === 'caption');
  if (!caption) throw new Error(`${model.name} has no task caption`);
  const { dataset } = await readTaskData({ host: nodeHost, model }, caption, materials.tokenizer, {
    cache: materials.data,
    seed: 0,
  });
  const { records, pictures = new Uint32Array() } = dataset;
  const encoded = await encodePictures(session, input, materials.store);
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
        features: encoded.get(materials.numberOf(image)),
      })),
    );
  return { trained: share(materials.exam.trained), heldStyle: share(materials.exam.heldStyle) };
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
  const materials = await openMaterials(modelOf('eye', 'Apart'));
  const eyes: Eye[] = [];
  // Any design of the experiment: it is there to run encoders as the experiment does.
  const judge = await openCandidate(device, materials, modelOf('fusion', 'EarlyDisjoint'), {
    recipe: 'joint',
    seed: 0,
  });
  if (options.judge) {
    const { trained, heldStyle } = await judgeTokens(judge, []);
    console.log(`nearest: trained ${trained.toFixed(2)}, held-out style ${heldStyle.toFixed(2)}`);
    return;
  }
  for (const way of ways)
    if (!options.only || options.only === nameOf(way))
      eyes.push(await trainEye(device, materials, judge, way));
  const best = [...eyes].sort((a, b) => b.near.heldStyle - a.near.heldStyle)[0];
  if (!best) throw new Error(`--only is ${ways.map(nameOf).join(' or ')}`);
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
