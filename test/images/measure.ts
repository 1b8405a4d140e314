/**
 * What caching a frozen encoder saves: `node --import tsx test/images/measure.ts [STEPS]` trains a joint recipe with the
 * encoder in every step and with its tokens computed once, and prints time and memory of both.
 */
import { type Compiled, compile } from '../../compiler/compile.ts';
import { encodePictures, tokensOf } from '../../runtime/project/encoded-images.ts';
import { imagesOf, withImages } from '../../runtime/data/image-batches.ts';
import { createPictureStore } from '../../runtime/data/picture-store.ts';
import { createBatches, type Batches } from '../../runtime/data/batches.ts';
import type { Dataset } from '../../runtime/data/load.ts';
import { openDevice, type Device } from '../../runtime/device/device.ts';
import { decodePicture } from '../../runtime/images/node.ts';
import { initParameter } from '../../runtime/random.ts';
import { scratchInit } from '../../compiler/families/sites.ts';
import type { Base, Model } from '../../compiler/model/model.ts';
import { openSession } from '../../runtime/session.ts';
import { makeTrainer, trainStep } from '../../runtime/train/trainer.ts';
import { imageInputOf } from '../../runtime/project/image-input.ts';
import { modelOf, recipeFor } from '../compiler/subjects.ts';
import { noise, png } from './make.ts';

const STEPS = Number(process.argv[2] ?? 20);
const [BATCH, TOKENS, PICTURES] = [4, 32, 16];

/** 4.9 million numbers in the base, 2.7 million in the encoder, 145 tokens an image: of a laptop's size. */
const base: Base = {
  name: 'measured',
  family: 'llama',
  layers: 6,
  dim: 256,
  heads: 8,
  kvHeads: 8,
  headDim: 32,
  ffn: 688,
  vocab: 512,
  context: 64,
  normEps: 1e-5,
  rope: { style: 'interleaved', theta: 10000 },
  tied: true,
};

const model: Model = modelOf(
  `
  prompt  words on layers[last 5] { length = 10 }
  encoder vision { model = vit(resolution: 96, patch: 8, width: 192, layers: 6, heads: 4) }
  project visual from vision { length = 10  norm = layer }
  prompt  image on layers[first 1] from visual
  group seeing  = visual + image
  group writing = words
  task caption  on pairs trains seeing
  task instruct on some  trains writing`,
  base,
  'text("some.txt")\ndata pairs = image_text("x.jsonl")',
);

/** Random words: what is measured does not depend on them. */
const words = (name: string, count: number): Dataset => {
  const examples = Array.from({ length: count }, (_, e) => {
    const tokens = Uint32Array.from({ length: TOKENS }, (_, i) => (7 * e + 13 * i) % base.vocab);
    return { tokens, labels: tokens, labelled: TOKENS };
  });
  const total = count * TOKENS;
  const report = {
    examples: count,
    tokens: total,
    labels: total,
    longest: TOKENS,
    truncated: 0,
    skipped: 0,
    unlabelled: 0,
  };
  return { name, examples, records: [], pictures: Uint32Array.from(examples, (_, i) => i), report };
};

const input = imageInputOf(model);
if (!input.pixels) throw new Error('the encoder looks at no pictures');
const files = new Map<string, Uint8Array>();
for (let i = 0; i < PICTURES; i++) files.set(`${i}`, await png(noise(96, 80, 0, 255, i)));
const store = createPictureStore({
  rules: input.pixels,
  decode: decodePicture,
  readBytes: (path) => Promise.resolve(files.get(path) ?? new Uint8Array()),
});
await store.addAll([...files.keys()]);
const pairs = words('pairs', PICTURES);
const recipe = recipeFor(model, { batch: BATCH });
const options = { batch: BATCH, seed: 1, context: base.context };
const captions = createBatches(pairs, options);
const instructions = createBatches(words('some', PICTURES), options);

interface Figures {
  readonly caption: number;
  readonly instruct: number;
  readonly encode: number;
  readonly compiled: Compiled;
  readonly dispatches: number;
  readonly loss: number;
}

async function measure(device: Device, cached: boolean): Promise<Figures> {
  const compiled = compile(model, {
    profile: device.profile,
    recipe,
    training: { batch: BATCH, tokens: { caption: TOKENS, instruct: TOKENS } },
    ...(cached ? { frozenEncoders: 'cached', encoding: { part: input.part, batch: BATCH } } : {}),
  });
  const shaders = Object.fromEntries(compiled.sources);
  const session = await openSession(device, { manifest: compiled.manifest, shaders }, (p) =>
    initParameter(p.init.kind === 'weights' ? scratchInit(base, p.name) : p.init, p, 1),
  );
  const trainer = makeTrainer(session);
  let encode = 0;
  let shown: Batches = withImages(captions, imagesOf(pairs, store));
  if (cached) {
    await encodePictures(session, input, store);
    const start = performance.now();
    shown = withImages(captions, tokensOf(pairs, await encodePictures(session, input, store)));
    encode = performance.now() - start;
  }
  const times = { caption: [] as number[], instruct: [] as number[] };
  let loss = NaN;
  for (let step = 0; step < STEPS + 3; step++)
    for (const [task, batches] of [
      ['caption', shown],
      ['instruct', instructions],
    ] as const) {
      const start = performance.now();
      ({ loss } = await trainStep(trainer, task, [batches.batchAt(step)], 1e-3));
      // The first steps compile kernels.
      if (step >= 3) times[task].push(performance.now() - start);
    }
  session.executor.destroy();
  // What else the machine does only makes steps longer.
  const least = (list: number[]) => Math.min(...list);
  const dispatches =
    compiled.manifest.programs.find(({ name }) => name === 'train:caption')?.dispatches.length ?? 0;
  return {
    caption: least(times.caption),
    instruct: least(times.instruct),
    encode,
    compiled,
    dispatches,
    loss,
  };
}

const device = await openDevice();
const [inline, cached] = [await measure(device, false), await measure(device, true)];
const mib = (bytes: number | undefined) => `${((bytes ?? 0) / 2 ** 20).toFixed(2)} MiB`;
const ms = (time: number) => `${time.toFixed(1)} ms`;
const row = (what: string, of: (figures: Figures) => string) =>
  console.log(`| ${what.padEnd(28)} | ${of(inline).padStart(10)} | ${of(cached).padStart(10)} |`);
console.log(`| ${device.adapter.description.slice(0, 28).padEnd(28)} |     inline |     cached |`);
console.log(`| ${'-'.repeat(28)} | ${'-'.repeat(10)} | ${'-'.repeat(10)} |`);
row('step with images, least', (f) => ms(f.caption));
row('step of text, least', (f) => ms(f.instruct));
row(`encoding ${PICTURES} pictures, once`, (f) => ms(f.encode));
row('dispatches with images', (f) => String(f.dispatches));
row('activations', (f) => mib(f.compiled.manifest.memory.peak));
row('without sharing', (f) => mib(f.compiled.manifest.memory.sum));
row('inputs', (f) => mib(f.compiled.manifest.buffers.inputs));
row('loss after the last step', (f) => f.loss.toFixed(6));
