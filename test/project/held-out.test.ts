/** Scores on test data: losses and greedy answers, with pictures and without, and what a training step computes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nodeHost } from '../../runtime/hosts/node.ts';
import { compile } from '../../compiler/compile.ts';
import { countFlops } from '../../compiler/ops/flops.ts';
import type { Model } from '../../compiler/model/model.ts';
import { scoreTests, type TestScore } from '../../runtime/project/held-out.ts';
import { type HostedModel, loadModel, openProject } from '../../runtime/project/spec.ts';
import { startOf } from '../../runtime/project/start.ts';
import { loadRecipeData } from '../../runtime/project/recipe-data.ts';
import { tokenizerOf } from '../../runtime/project/tokenizer.ts';
import { pickRecipe } from '../../runtime/project/recipe.ts';
import { planSweep, type Prepared } from '../../runtime/sweep/plan.ts';
import { emptyTrialCache, runTrial } from '../../runtime/sweep/trial.ts';
import { type Device, sharedDevice } from '../../runtime/device/device.ts';
import { initParameter } from '../../runtime/random.ts';
import { runFolder } from '../../runtime/train/run-folder.ts';
import { evaluate, makeTrainer } from '../../runtime/train/trainer.ts';
import { openModel, withDevice } from '../compiler/sessions.ts';
import { makePictureProject, spec as sees } from '../images/sees.ts';
import { makeProject } from '../cli/tiny-project.ts';

const t = suite('test data');

let folder = '';
t.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'graft-heldout-'));
  await makePictureProject(folder);
});
t.after(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const pairs = (...all: readonly (readonly [string, string])[]): string =>
  all.map(([instruction, output]) => JSON.stringify({ instruction, output })).join('\n');

const learns = (test: string): string => `import "base.adapter"
adapter Whole on small {
  task learn on lessons trains base { template = "{instruction}={output}"  test = ${test} }
}
data lessons = instructions("lessons.jsonl")
data exam    = instructions("exam.jsonl")
recipe short for Whole { steps = 150  batch = 3  optimizer = adamw(lr: 1e-2)  schedule = constant() }
sweep one over Whole with short {}
`;

async function trial(path: string): Promise<Prepared> {
  const [first] = (await planSweep(nodeHost, path, {})).trials;
  if (first === undefined || typeof first.work === 'string') throw new Error('the trial cannot be run');
  return first.work;
}

t('answers that were learned by heart are right, others are not; blanks make no difference', () =>
  withDevice(async () => {
    write('lessons.jsonl', pairs(['ab', 'c  ba'], ['abc', 'cb'], ['abcc', 'a a']));
    // Batches of three: the last one is not full.
    write('exam.jsonl', pairs(['ab', ' c ba '], ['abc', 'cB'], ['abcc', 'a a'], ['ab', 'cba']));
    const work = await trial(write('learns.adapter', learns('[lessons, exam]')));
    const figures = await runTrial(await sharedDevice(), emptyTrialCache(), work, {
      store: runFolder(join(folder, 'run')),
      measure: ['loss', 'accuracy'],
    });
    assert.equal(
      figures.tests.map(({ task, data, examples, accuracy }) => [task, data, examples, accuracy]),
      [
        ['learn', 'lessons', 3, 1],
        ['learn', 'exam', 4, 0.5],
      ],
    );
    const [lessons, exam] = figures.tests;
    assert.ok((lessons?.loss ?? 1) < 0.05 && (exam?.loss ?? 0) > 0.5, JSON.stringify(figures.tests));
    assert.is(figures.accuracy, 0.75);
    assert.is(figures.loss, ((lessons?.loss ?? 0) + (exam?.loss ?? 0)) / 2);
    assert.is(figures.curve['learn']?.length, 50, 'at most sixty points, all of the same number of steps');
    assert.is(figures.curve['learn']?.at(-1)?.[0], 150);
  }),
);

t('an answer ends at every end that generation_config.json names, in the trials of a sweep too', () =>
  withDevice(async () => {
    write('lessons.jsonl', pairs(['ab', 'c  ba'], ['abc', 'cb'], ['abcc', 'a a']));
    // 262 is `c`, so the answers that begin with that letter are cut to nothing.
    const ends = write('generation_config.json', '{"eos_token_id": [2, 262]}');
    try {
      const work = await trial(write('ends.adapter', learns('lessons')));
      const figures = await runTrial(await sharedDevice(), emptyTrialCache(), work, {
        store: runFolder(join(folder, 'ends')),
        measure: ['accuracy'],
      });
      assert.equal(
        figures.tests.map(({ accuracy }) => accuracy),
        [1 / 3],
      );
    } finally {
      rmSync(ends);
    }
  }),
);

/** Scores of a model as the seed makes it. */
async function scores(
  device: Device,
  hosted: HostedModel,
  values = new Map<string, Float32Array>(),
): Promise<TestScore[]> {
  return scoreTests(device, hosted, await tokenizerOf(hosted), {
    initial: values,
    recipe: { batch: 4, seed: 3 },
  });
}

t('the loss is that of all labels, however they are batched', () =>
  withDevice(async (device) => {
    const path = write('plain.adapter', learns('lessons').replace('batch = 3', 'batch = 1'));
    const project = await openProject(nodeHost, path);
    const { model } = project;
    const recipe = pickRecipe(model, undefined);
    const data = await loadRecipeData(project, recipe, await tokenizerOf(project));
    const dataset = data.datasets.get('learn');
    const batches = data.batches.get('learn');
    assert.ok(dataset && batches);
    const [score] = await scores(device, project);
    const session = await openModel(device, model, await startValues(path), {
      evaluation: { batch: 1, tokens: data.tokens },
    });
    const trainer = makeTrainer(session);
    let [sum, count] = [0, 0];
    for (let i = 0; i < (dataset?.examples.length ?? 0); i++) {
      const batch = batches?.batchAt(i);
      if (!batch) continue;
      sum += batch.labelled * (await evaluate(trainer, 'learn', batch));
      count += batch.labelled;
    }
    assert.ok(Math.abs((score?.loss ?? NaN) - sum / count) < 1e-5, `${score?.loss} ${sum / count}`);
  }),
);

/** The base's weights as its file has them. */
async function startValues(path: string): Promise<Map<string, Float32Array>> {
  const model = loadModel(nodeHost, path);
  const start = await startOf({ host: nodeHost, model }, 3);
  const compiled = compile(model, { profile: { device: 'gpu', subgroup: null } });
  const values = new Map<string, Float32Array>();
  for (const p of compiled.manifest.parameters) values.set(p.name, await start.values(p));
  await start.close();
  return values;
}

t(
  'instructions with a picture attached: nothing as long as the gates are closed, something when they open',
  () =>
    withDevice(async (device) => {
      write(
        'attached.jsonl',
        [0, 1, 2]
          .map((i) => JSON.stringify({ image: `pictures/${i}.png`, instruction: 'ab', output: 'cab' }))
          .join('\n'),
      );
      write('alone.jsonl', pairs(['ab', 'cab'], ['ab', 'cab'], ['ab', 'cab']));
      const path = write(
        'attached.adapter',
        sees
          .replace(
            'trains writing { template = "{instruction}={output}" }',
            'trains writing { template = "{instruction}={output}"  test = [alone, attached] }',
          )
          .replace('ask = "abc" }', 'ask = "abc"  test = pairs }')
          .replace(
            'data some',
            'data alone = instructions("alone.jsonl")\ndata attached = image_text("attached.jsonl")\ndata some',
          ),
      );
      const project = await openProject(nodeHost, `${path}:Sees`);
      const closed = await scores(device, project);
      assert.equal(
        closed.map(({ task, data }) => `${task} ${data}`),
        ['caption pairs', 'instruct alone', 'instruct attached'],
      );
      const [, alone, attached] = closed;
      assert.ok(Math.abs((alone?.loss ?? NaN) - (attached?.loss ?? NaN)) < 1e-6);
      const opened = await scores(device, project, gates(project.model, 2));
      assert.is(opened[1]?.loss, alone?.loss, 'words alone never see it');
      assert.ok(Math.abs((opened[2]?.loss ?? NaN) - (attached?.loss ?? NaN)) > 1e-3);
      assert.not.equal(opened[0]?.loss, closed[0]?.loss);
    }),
);

const gates = (model: Model, value: number): Map<string, Float32Array> =>
  new Map(
    model.parameters
      .filter(({ name }) => name.startsWith('image.') && name.endsWith('.gate'))
      .map((p) => [p.name, initParameter({ kind: 'constant', value }, p, 0)]),
  );

t('an encoder whose tokens are kept for the next trial changes nothing', () =>
  withDevice(async (device) => {
    const path = write(
      'twice.adapter',
      `${sees}\nparam speed = 1e-3\nsweep twice over Sees with turns { speed = [1e-3, 2e-3] }\n`.replace(
        'schedule = constant()',
        'schedule = constant()  optimizer = adamw(lr: speed)',
      ),
    );
    const { trials } = await planSweep(nodeHost, path, {});
    const options = { store: runFolder(join(folder, 'twice')), measure: ['loss'] } as const;
    const [first, second] = trials.map(({ work }) => work as Prepared);
    assert.ok(first && second);
    if (!first || !second) return;
    const shared = emptyTrialCache();
    const warm = [
      await runTrial(device, shared, first, options),
      await runTrial(device, shared, second, options),
    ];
    const cold = await runTrial(device, emptyTrialCache(), second, options);
    assert.is(shared.encoded.size, 1, 'both trials used the same tokens');
    assert.equal(warm[1]?.curve, cold.curve);
    assert.not.equal(warm[0]?.curve, cold.curve);
    assert.is(warm[0]?.lossOf, 'training');
  }),
);

t('operations of a training step, counted by hand', async () => {
  const folder2 = mkdtempSync(join(tmpdir(), 'graft-flops-'));
  await makeProject(folder2);
  const path = join(folder2, 'flops.adapter');
  writeFileSync(
    path,
    `import "base.adapter"
adapter Head on small { unfreeze head on output  task it on some trains head }
data some = text("some.txt")
`,
  );
  const model = loadModel(nodeHost, path);
  const [batch, tokens] = [2, 8];
  const { graphs } = compile(model, {
    profile: { device: 'gpu', subgroup: null },
    training: { batch, tokens: { it: tokens } },
  });
  const rows = batch * tokens;
  const { dim, ffn, vocab, heads, headDim, kvHeads, layers } = model.base;
  const linears = dim * (heads + 2 * kvHeads) * headDim + heads * headDim * dim + 3 * dim * ffn;
  const attention = 2 * batch * heads * tokens * tokens * headDim;
  const forward = layers * (rows * linears + attention) + rows * dim * vocab;
  // Backward: the gradient of the head's weights alone, nothing below it.
  const backward = rows * dim * vocab;
  assert.is(countFlops(graphs[0] ?? { nodes: [] }), 2 * (forward + backward));
  rmSync(folder2, { recursive: true, force: true });
});

t.run();
