/** Training and generating from picture files, as a user starts it. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nodeHost } from '../../runtime/hosts/node.ts';
import { loadModel } from '../../runtime/project/spec.ts';
import { openFile } from '../../runtime/files.ts';
import { writeSafetensors } from '../../runtime/files/write.ts';
import { openSafetensors } from '../../runtime/weights/safetensors.ts';
import { graftEach, type Outcome } from '../cli/processes.ts';
import { withDevice } from '../compiler/sessions.ts';
import { noise, npy, png } from './make.ts';
import { makePictureProject, spec } from './sees.ts';

const t = suite('pictures on the command line');

let folder = '';
t.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'graft-sees-'));
  await makePictureProject(folder);
  mkdirSync(join(folder, 'features'));
  writeFileSync(join(folder, 'one.png'), await png(noise(20, 14)));
  writeFileSync(join(folder, 'two.png'), await png(noise(9, 30)));
  writeFileSync(join(folder, 'broken.png'), (await png(noise(30, 30))).subarray(0, 900));
  variants();
  await encoderFile();
});
t.after(() => rmSync(folder, { recursive: true, force: true }));

/** Specs and data that differ in one thing. */
function variants(): void {
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  const captions = readFileSync(join(folder, 'pictures/captions.jsonl'), 'utf8');
  const record = (image: string): string => `${JSON.stringify({ image, caption: 'cab' })}\n`;
  write('pictures/bad.jsonl', captions + record('../broken.png'));
  write('pictures/missing.jsonl', captions + record('nowhere.png'));
  write('pictures/without.jsonl', `${captions}{"caption": "cab"}\n`);
  for (const name of ['bad', 'missing', 'without'])
    write(`${name}.adapter`, spec.replace('pictures/captions.jsonl', `pictures/${name}.jsonl`));
  write('file.adapter', spec.replace('output: 6)', 'output: 6, weights: "vision.safetensors")'));
  write('changed.adapter', spec.replace('output: 6)', 'output: 6, weights: "changed.safetensors")'));
  write('nofile.adapter', spec.replace('output: 6)', 'output: 6, weights: "nowhere.safetensors")'));
  write(
    'deep.adapter',
    spec.replace(
      'layers: 1, heads: 2, output: 6)',
      'layers: 2, heads: 2, output: 6, weights: "vision.safetensors")',
    ),
  );
  write(
    'seeing.adapter',
    spec
      .replace(/^ {2}task instruct.*$/m, '')
      .replace(/^recipe [^]*?^}$/gm, '')
      .replace(/^\/\/\/ The enc[^]*/m, ''),
  );
  write('chain.adapter', chained('former.safetensors'));
  write('unchained.adapter', chained('nowhere.safetensors'));
  write('wrong.adapter', chained('vision.safetensors'));
  const bind = spec
    .replace(/^param eye = .*$/m, 'param eye = features(width: 6, tokens: 5)')
    .replace('normalise = half', '');
  write('features.adapter', bind);
  for (const name of ['bound', 'narrow', 'gone']) {
    write(`${name}.adapter`, bind.replace('pictures/captions.jsonl', `features/${name}.jsonl`));
    const paths = [0, 1, 2, 3].map((i) => (i === 2 && name !== 'bound' ? `${name}.npy` : `${i}.npy`));
    write(
      `features/${name}.jsonl`,
      paths.map((image) => `${JSON.stringify({ image, caption: 'cab' })}\n`).join(''),
    );
  }
  for (let i = 0; i < 4; i++)
    writeFileSync(
      join(folder, `features/${i}.npy`),
      npy(
        '<f4',
        [5, 6],
        Float32Array.from({ length: 30 }, (_, k) => Math.sin(k + i)),
      ),
    );
  writeFileSync(join(folder, 'features/narrow.npy'), npy('<f4', [5, 4], new Float32Array(20)));
  write('crop.adapter', spec.replace('normalise = half', 'normalise = half  crop = random(scale: 0.3)'));
}

/** A frozen query transformer from a file between the encoder and the projector, and marks around the image. */
const chained = (file: string): string =>
  spec
    .replace(
      'project visual from vision',
      `project former from vision { kind = queries  length = 4  depth = 1  heads = 2  hidden = 6  output = 7  weights = "${file}" }\n  project visual from former`,
    )
    .replace(
      'prompt  image on layers[first 1] from visual',
      'prompt open on input { length = 1 }\n  prompt image on input from visual\n  prompt close on input { length = 1 }',
    )
    .replaceAll('visual + image', 'visual + open + close');

/** Weights of encoder and query transformer, as somebody else trained them. */
async function encoderFile(): Promise<void> {
  await weightsFile('sees', 'vision');
  await weightsFile('sees', 'vision', 'changed', 1);
  await weightsFile('chain', 'former');
}

async function weightsFile(file: string, part: string, out = part, shift = 0): Promise<void> {
  const model = loadModel(nodeHost, join(folder, `${file}.adapter:Sees`));
  const tensors = model.parameters
    .filter(({ owner }) => owner === part)
    .map(({ name, shape }) => ({
      name,
      shape,
      values: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) =>
        Math.sin(i + name.length + shift),
      ),
    }));
  await writeSafetensors(join(folder, `${out}.safetensors`), tensors, {});
}

const train = (file: string, adapter: string, recipe: string, out: string, ...rest: string[]): string[] => [
  'train',
  `${file}.adapter:${adapter}`,
  '--recipe',
  recipe,
  '--out',
  out,
  ...rest,
];
const ask = (...rest: string[]): string[] => ['generate', 'sees.adapter:Sees', '--max-tokens', '6', ...rest];
const trained = ['--adapter', 'turns/adapter.safetensors'];

const lines: Readonly<Record<string, readonly string[]>> = {
  inline: train('sees', 'Sees', 'turns', 'inline', '--encoder', 'inline'),
  turns: train('sees', 'Sees', 'turns', 'turns', '--encoder', 'cached'),
  auto: train('sees', 'Sees', 'turns', 'auto'),
  few: train('sees', 'Sees', 'turns', 'few', '--steps', '2'),
  chances: train('sees', 'Sees', 'chances', 'chances'),
  stages: train('sees', 'Sees', 'stages', 'stages'),
  whole: train('sees', 'Whole', 'whole', 'whole'),
  wholeCached: train('sees', 'Whole', 'whole', 'whole-cached', '--encoder', 'cached'),
  sometimes: train('sees', 'Sees', 'turns', 'sometimes', '--encoder', 'sometimes'),
  bad: train('bad', 'Sees', 'turns', 'bad'),
  missing: train('missing', 'Sees', 'turns', 'missing'),
  file: train('file', 'Sees', 'turns', 'file'),
  fileAnswer: [
    ...['generate', 'file.adapter:Sees', '--adapter', 'file/adapter.safetensors', '--max-tokens', '2'],
    ...['--ask', 'abc', '--image', 'one.png'],
  ],
  changedAnswer: [
    ...['generate', 'changed.adapter:Sees', '--adapter', 'file/adapter.safetensors', '--max-tokens', '2'],
    ...['--ask', 'abc', '--image', 'one.png'],
  ],
  nofile: train('nofile', 'Sees', 'turns', 'nofile'),
  deep: train('deep', 'Sees', 'turns', 'deep'),
  chain: train('chain', 'Sees', 'turns', 'chain'),
  chainAnswer: [
    ...['generate', 'chain.adapter:Sees', '--adapter', 'chain/adapter.safetensors', '--max-tokens', '6'],
    ...['--ask', 'abc', '--image', 'one.png'],
  ],
  unchained: train('unchained', 'Sees', 'turns', 'unchained'),
  wrong: train('wrong', 'Sees', 'turns', 'wrong'),
  features: train('features', 'Sees', 'turns', 'features'),
  bound: train('bound', 'Sees', 'turns', 'bound'),
  boundCached: train('bound', 'Sees', 'turns', 'bound-cached', '--encoder', 'cached'),
  boundAnswer: [
    ...['generate', 'bound.adapter:Sees', '--adapter', 'bound/adapter.safetensors', '--max-tokens', '6'],
    ...['--ask', 'abc', '--ask', 'abc', '--image', 'features/0.npy', '--image', 'features/3.npy'],
  ],
  boundPicture: ['generate', 'bound.adapter:Sees', '--ask', 'abc', '--image', 'one.png'],
  narrow: train('narrow', 'Sees', 'turns', 'narrow'),
  gone: train('gone', 'Sees', 'turns', 'gone'),
  crop: train('crop', 'Sees', 'turns', 'crop'),
  cropAgain: train('crop', 'Sees', 'turns', 'crop-again'),
  cropCached: train('crop', 'Sees', 'turns', 'crop-cached', '--encoder', 'cached'),
  cropAnswer: [
    ...['generate', 'crop.adapter:Sees', '--adapter', 'crop/adapter.safetensors', '--max-tokens', '6'],
    ...['--ask', 'abc', '--image', 'one.png'],
  ],
  plain: ask(...trained, '--ask', 'abc'),
  without: train('without', 'Sees', 'turns', 'without'),
  // Its only task shows images.
  blindfold: ['generate', 'seeing.adapter:Sees', '--ask', 'abc', '--max-tokens', '4'],
  one: ask(...trained, '--ask', 'abc', '--image', 'one.png'),
  both: ask(...trained, '--ask', 'abc', '--ask', 'abc', '--image', 'one.png', '--image', 'two.png'),
  shared: ask(...trained, '--ask', 'abc', '--ask', 'cab', '--image', 'one.png'),
  caption: ask(...trained, '--image', 'two.png', '--verbose'),
  many: ask('--ask', 'abc', '--image', 'one.png', '--image', 'two.png'),
  broken: ask('--ask', 'abc', '--image', 'broken.png'),
  nowhere: ask('--ask', 'abc', '--image', 'nowhere.png'),
  blind: ['generate', 'spec.adapter', '--ask', 'abc', '--image', 'one.png'],
  build: ['build', 'sees.adapter:Sees', '--recipe', 'turns', '--out', 'built'],
};

let ran: Promise<ReadonlyMap<string, Outcome>> | null = null;

/** All command lines share one process, since starting one is slow. */
async function outcome(name: string): Promise<Outcome> {
  ran ??= graftEach(Object.values(lines), folder).then(
    (outcomes) => new Map(Object.keys(lines).map((key, i) => [key, outcomes[i] as Outcome])),
  );
  return (await ran).get(name) as Outcome;
}

async function succeeds(name: string): Promise<Outcome> {
  const result = await outcome(name);
  assert.is(result.code, 0, `${name}: ${result.err}`);
  return result;
}

async function fails(name: string, code: number, ...says: RegExp[]): Promise<void> {
  const { code: actual, err } = await outcome(name);
  assert.is(actual, code, `${name}: exit code ${actual}\n${err}`);
  assert.not.match(err, /internal error|bug of graft|\n {4}at /, `${name}: no trace`);
  for (const words of says) assert.match(err, words, `${name}: ${err}`);
}

const test = (name: string, run: () => Promise<void>): void => t(name, () => withDevice(run));

interface Metric {
  readonly task: string;
  readonly loss: number;
}
const metrics = (run: string): Metric[] =>
  readFileSync(join(folder, run, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const { task, loss } = JSON.parse(line) as Metric;
      return { task, loss };
    });

async function adapter(run: string): Promise<Map<string, Float32Array>> {
  const source = await openSafetensors(await openFile(join(folder, run, 'adapter.safetensors')));
  const values = new Map<string, Float32Array>();
  for (const name of source.tensors.keys()) values.set(name, await source.read(name));
  await source.close();
  return values;
}

test('captions and instructions take turns', async () => {
  const { err } = await succeeds('turns');
  assert.match(err, /caption: 5 examples/);
  assert.match(err, /vision: tokens of 5 pictures computed once/);
  assert.equal(
    metrics('turns').map(({ task }) => task),
    ['caption', 'instruct', 'caption', 'instruct', 'caption', 'instruct', 'caption', 'instruct'],
  );
  assert.ok(metrics('turns').every(({ loss }) => Number.isFinite(loss)));
});

test('where the encoder runs changes no bit', async () => {
  await succeeds('inline');
  await succeeds('turns');
  await succeeds('auto');
  assert.match((await outcome('auto')).err, /computed once/);
  assert.not.match((await outcome('inline')).err, /computed once/);
  assert.equal(metrics('inline'), metrics('turns'));
  assert.equal(metrics('auto'), metrics('turns'));
  assert.equal(await adapter('inline'), await adapter('turns'));
});

test('a run that sees fewer pictures than there are does not encode them all', async () => {
  assert.not.match((await succeeds('few')).err, /computed once/);
});

test('tasks also mix by chance and in stages', async () => {
  await succeeds('chances');
  assert.is(metrics('chances').length, 6);
  await succeeds('stages');
  assert.equal(
    metrics('stages').map(({ task }) => task),
    ['caption', 'caption', 'instruct', 'instruct'],
  );
});

test('a trained encoder runs in every step and goes into the adapter', async () => {
  await succeeds('whole');
  const names = [...(await adapter('whole')).keys()];
  assert.ok(names.includes('vision.conv1.weight') && names.includes('vision.blocks.0.attn.q.weight'));
  await fails('wholeCached', 1, /`vision` is trained, so its tokens change/);
});

test('a fresh encoder is kept with what was trained on it; one with a file of its own is not', async () => {
  await succeeds('turns');
  assert.ok((await adapter('turns')).has('vision.conv1.weight'));
  await succeeds('file');
  assert.not.ok((await adapter('file')).has('vision.conv1.weight'));
  assert.not.equal(metrics('file'), metrics('turns'), 'the file is used');
  await succeeds('fileAnswer');
  await fails(
    'changedAnswer',
    1,
    /`vision`: fingerprint of its file was [0-9a-f]{64} when it was trained, and is [0-9a-f]{64} here/,
  );
});

test('a frozen projector comes from its file and stays there', async () => {
  await succeeds('chain');
  const names = [...(await adapter('chain')).keys()];
  assert.ok(names.includes('visual.weight') && names.includes('open.prompt'), names.join(' '));
  assert.not.ok(names.some((name) => name.startsWith('former.')));
  assert.ok((await answer('chainAnswer')).length > 0);
  await fails('unchained', 1, /cannot read .*nowhere\.safetensors: there is no such file/);
  await fails('wrong', 1, /vision\.safetensors does not hold the projector `former`/, /former\.in\.weight/);
});

test('features come from files, in training and in generating', async () => {
  const { err } = await succeeds('bound');
  assert.match(err, /caption: 4 examples/);
  assert.not.match(err, /computed once/);
  assert.ok(metrics('bound').every(({ loss }) => Number.isFinite(loss)));
  assert.ok((await answer('boundAnswer')).length > 0);
  await fails('boundCached', 1, /`vision` takes features, which are computed already/);
  await fails('boundPicture', 1, /one\.png is no file of features/, /\.safetensors or \.npy/);
  await fails('narrow', 1, /narrow\.jsonl:3: .*narrow\.npy holds \[5, 4\], `vision` takes \[5, 6\]/);
  await fails('gone', 1, /gone\.jsonl:3: cannot read .*gone\.npy: there is no such file/);
});

test('random parts of pictures: the same in another run, others than the middle', async () => {
  assert.not.match((await succeeds('crop')).err, /computed once/);
  await succeeds('cropAgain');
  await succeeds('inline');
  assert.equal(metrics('crop'), metrics('crop-again'));
  assert.not.equal(metrics('crop'), metrics('inline'));
  assert.ok((await answer('cropAnswer')).length > 0);
  await fails('cropCached', 1, /`vision` sees another part of a picture each time/);
});

test('damaged pictures are left out of training and named', async () => {
  const { err } = await succeeds('bad');
  assert.match(err, /caption: 5 examples/);
  assert.match(
    err,
    /caption: 1 left out because of their pictures\n.*bad\.jsonl:6: .*broken\.png: it cannot be decoded/,
  );
});

test('mistakes around pictures are told with their place', async () => {
  await fails('missing', 1, /missing\.jsonl:6: cannot read .*nowhere\.png: there is no such file/);
  await fails('without', 1, /without\.jsonl:6: no field `image`/);
  await fails('nofile', 1, /cannot read .*nowhere\.safetensors/);
  await fails('deep', 1, /does not hold the encoder `vision`/, /missing: `vision\.blocks\.1\./);
  await fails(
    'features',
    1,
    /captions\.jsonl:1: .*0\.png is no file of features, which is what `vision` takes/,
  );
  await fails('sometimes', 2, /--encoder takes inline, cached or auto/);
});

const answer = async (name: string): Promise<string> => (await succeeds(name)).out;

test('answers come from pictures: one for each text, or one for all', async () => {
  const [plain, one, both] = [await answer('plain'), await answer('one'), await answer('both')];
  assert.ok(plain.length > 0 && one.length > 0 && both.length > one.length);
  await succeeds('shared');
  const { err } = await succeeds('caption');
  assert.match(err, /"abc="/, "without a text the task's question is asked");
});

test('pictures that cannot be looked at are told', async () => {
  await fails('many', 2, /2 images for 1 text: give one for all, or one for each/);
  await fails('broken', 1, /broken\.png: it cannot be decoded/, /give a PNG, JPEG or WebP/);
  await fails('nowhere', 1, /cannot read .*nowhere\.png/);
  await fails('blind', 1, /`Pair` looks at no image/, /an encoder, a projector and a prompt/);
});

test('no image is no prompt, and is told where every task shows one', async () => {
  assert.match(
    (await succeeds('blindfold')).err,
    /no image is given, although every task of `Sees` shows one: give one with --image/,
  );
  assert.not.match((await succeeds('plain')).err, /no image is given/);
});

test('a package says what its encoder wants, and can look', async () => {
  await succeeds('build');
  assert.ok(existsSync(join(folder, 'built/manifest.json')));
  const manifest = JSON.parse(readFileSync(join(folder, 'built/manifest.json'), 'utf8')) as {
    images: unknown;
    programs: { name: string }[];
  };
  assert.equal(manifest.images, [
    {
      part: 'vision',
      rows: 4,
      width: 48,
      tokens: { rows: 5, axis: { groups: 1, size: 6 } },
      pixels: { resolution: 8, patch: 4, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5], channels: 'rgb' },
    },
  ]);
  const names = manifest.programs.map(({ name }) => name);
  assert.ok(names.includes('prefill:image') && names.includes('prefill'), names.join(' '));
});

t.run();
