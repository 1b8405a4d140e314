/** An adapter that PEFT trained, recorded step by step, put through our import, compiler and device. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { sitesOf } from '../../compiler/families/sites.ts';
import type { Model, Recipe } from '../../compiler/model/model.ts';
import { command as exportCommand } from '../../runtime/cli/export.ts';
import { command as importCommand } from '../../runtime/cli/import.ts';
import { IGNORE } from '../../runtime/data/encode.ts';
import { openWeights, openFile } from '../../runtime/files.ts';
import { openPeft } from '../../runtime/files/peft.ts';
import { endless, generate, makeDecoder } from '../../runtime/generate.ts';
import { nodeHost } from '../../runtime/hosts/node.ts';
import { importPeft } from '../../runtime/peft/import/import.ts';
import { loadModel } from '../../runtime/project/spec.ts';
import { argmax } from '../../runtime/sample.ts';
import { parameterNamed, readParameter, type Session } from '../../runtime/session.ts';
import { evaluate, gradients, makeTrainer, trainStep } from '../../runtime/train/trainer.ts';
import { importAdapter } from '../../runtime/weights/adapter.ts';
import { loadBase } from '../../runtime/weights/base.ts';
import { openSafetensors } from '../../runtime/weights/safetensors.ts';
import type { WeightSource } from '../../runtime/weights/source.ts';
import { distance, forward, largest, openModel, withDevice } from '../compiler/sessions.ts';
import { runCommand } from '../cli/capture.ts';

/** case.json, as far as it is compared. */
interface Case {
  readonly base: string;
  readonly input_ids: readonly (readonly number[])[];
  readonly labels: readonly (readonly number[])[];
  readonly optimizer: {
    readonly lr: number;
    readonly betas: readonly [number, number];
    readonly eps: number;
    readonly weight_decay: number;
  };
  readonly losses: readonly number[];
  readonly prompts: readonly (readonly number[])[];
  readonly greedy: readonly (readonly number[])[];
}

/** What the recordings' README allows of float32, beside its own float64 check. */
const BOUND = { logits: 1e-4, trained: 5e-4, loss: 1e-5, steps: 1e-4, gradient: 2e-4, step: 0.05 } as const;
/** Numbers whose first gradient is below this share of the tensor's largest go their own way under AdamW. */
const NOISE = 1e-5;

type Values = ReadonlyMap<string, Float32Array>;

/** `graft import` of one of the case's folders, and what both files hold. */
async function imported(folder: string, base: string): Promise<{ model: Model; values: Values }> {
  const out = mkdtempSync(join(tmpdir(), 'graft-peft-'));
  try {
    const spec = join(out, 'imported.adapter');
    const { code, err } = await runCommand(importCommand, [folder, '--spec-out', spec, '--base', base]);
    assert.is(code, 0, err);
    const model = loadModel(nodeHost, spec);
    const source = await openWeights(join(out, 'imported.safetensors'));
    try {
      const { values, missing, unused } = await importAdapter(source, model);
      assert.equal([missing, unused], [[], []]);
      return { model, values };
    } finally {
      await source.close();
    }
  } finally {
    rmSync(out, { recursive: true });
  }
}

/** PEFT's AdamW decays whatever is trained. */
const decayingAll = (model: Model, trained: Values): Model => ({
  ...model,
  parameters: model.parameters.map((p) => (trained.has(p.name) ? { ...p, decay: true } : p)),
});

const recipeOf = (model: Model, { optimizer }: Case): Recipe => ({
  ...model.recipes[0]!,
  optimizer: { ...optimizer, weightDecay: optimizer.weight_decay },
  batch: 2,
  accumulate: 1,
});

/** Labels of the words that come next. */
function batchOf({ input_ids, labels }: Case) {
  const next = labels.flatMap((row) => [...row.slice(1), -100].map((id) => (id === -100 ? IGNORE : id)));
  return {
    tokens: Uint32Array.from(input_ids.flat()),
    labels: Uint32Array.from(next),
    labelled: next.filter((id) => id !== IGNORE).length,
  };
}

/** Tensors `PREFIX + key` of a file, under our names: the keys are read as those of the adapter itself. */
async function recordedValues(
  folder: string,
  model: Model,
  file: WeightSource,
  prefix: string,
): Promise<Values> {
  const { config, source } = await openPeft(join(folder, 'adapter_start'));
  await source.close();
  const keys = [...file.tensors.keys()].filter((key) => key.startsWith(prefix));
  const own: WeightSource = {
    ...file,
    tensors: new Map(keys.map((key) => [key.slice(prefix.length), file.tensors.get(key)!])),
    read: (name, options) => file.read(prefix + name, options),
  };
  const parts = await importPeft(config, own, model.base, sitesOf(model.base));
  return new Map(
    parts.flatMap(({ tensors }) =>
      tensors.map(({ name, values }) => [name, values as Float32Array] as const),
    ),
  );
}

function requireWithin(what: string, figure: number, bound: number): void {
  assert.ok(figure < bound, `${what}: off by ${figure}, allowed ${bound}`);
}

async function logitsOf(session: Session, { input_ids }: Case): Promise<Float32Array> {
  const rows = await forward(session, Uint32Array.from(input_ids.flat()));
  return Float32Array.from(rows.flatMap((row) => [...row]));
}

/** Imports a case and compares logits, gradients, five steps, the adapter they leave, and greedy tokens. */
export const agrees = (folder: string): Promise<void> =>
  withDevice(async (device) => {
    const recorded = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as Case;
    const base = join(folder, recorded.base);
    const start = await imported(join(folder, 'adapter_start'), base);
    const end = await imported(join(folder, 'adapter'), base);
    const model = decayingAll(start.model, start.values);
    const expected = await openSafetensors(await openFile(join(folder, 'expected.safetensors')));
    const weights = await openWeights(base);
    const frozen = await loadBase(weights, model.base, model.parameters);
    await weights.close();
    const { input_ids, prompts, optimizer } = recorded;
    const sizes = { batch: input_ids.length, tokens: input_ids[0]?.length ?? 0 };
    const [task] = model.tasks;
    const name = task?.name ?? '';
    const session = await openModel(device, model, new Map([...frozen.values, ...start.values]), {
      recipe: recipeOf(model, recorded),
      training: { batch: sizes.batch, tokens: { [name]: sizes.tokens } },
      evaluation: { batch: sizes.batch, tokens: { [name]: sizes.tokens } },
      forward: sizes,
      generation: { batch: prompts.length, tokens: 16, context: 40 },
    });
    requireWithin(
      'logits.0',
      distance(await logitsOf(session, recorded), await expected.read('logits.0')),
      BOUND.logits,
    );

    const trainer = makeTrainer(session);
    const batch = batchOf(recorded);
    const [first = NaN, ...losses] = recorded.losses;
    requireWithin('loss', Math.abs((await gradients(trainer, name, batch)) - first), BOUND.loss);
    const slopes = await recordedValues(folder, model, expected, 'grad.');
    assert.equal([...slopes.keys()].sort(), [...start.values.keys()].sort());
    for (const [at, values] of slopes) {
      const own = await readParameter(session, parameterNamed(session, at), 'gradients');
      requireWithin(`gradient of ${at}`, distance(own, values), BOUND.gradient * largest(values));
    }

    for (const [i, loss] of losses.entries()) {
      await trainStep(trainer, name, [batch], optimizer.lr);
      requireWithin(
        `loss after step ${i + 1}`,
        Math.abs((await evaluate(trainer, name, batch)) - loss),
        BOUND.steps,
      );
    }
    requireWithin(
      'logits.5',
      distance(await logitsOf(session, recorded), await expected.read('logits.5')),
      BOUND.trained,
    );
    for (const [at, values] of end.values) {
      const slope = slopes.get(at) ?? new Float32Array();
      const own = await readParameter(session, parameterNamed(session, at));
      const firm = [...values.keys()].filter((i) => Math.abs(slope[i] ?? 0) >= NOISE * largest(slope));
      const pick = (from: Float32Array) => firm.map((i) => from[i] ?? NaN);
      requireWithin(`${at} after training`, distance(pick(own), pick(values)), BOUND.step * optimizer.lr);
    }
    const answers = await generate(makeDecoder(session), prompts, {
      maxTokens: 8,
      tokenizer: endless,
      pick: argmax,
    });
    assert.equal(answers, recorded.greedy);
    await expected.close();
  });

/** Keys that say which modules are meant: in other words where they were an expression. */
const TARGETS = ['layers_to_transform', 'rank_pattern', 'target_modules'];

/** Imports a case, exports it again and compares both folders. */
export async function goesBack(folder: string): Promise<void> {
  const { base } = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as Case;
  const [start, out] = [join(folder, 'adapter'), mkdtempSync(join(tmpdir(), 'graft-peft-'))];
  try {
    const spec = join(out, 'mine.adapter');
    const files = ['--spec-out', spec, '--base', join(folder, base)];
    const taken = await runCommand(importCommand, [start, ...files]);
    assert.is(taken.code, 0, taken.err);
    const theirs = join(out, 'theirs');
    const given = await runCommand(exportCommand, [
      ...[spec, '--adapter', join(out, 'mine.safetensors')],
      ...['--format', 'peft', '--out', theirs],
    ]);
    assert.is(given.code, 0, given.err);
    const [before, after] = [await contents(start), await contents(theirs)];
    assert.equal(after.tensors, before.tensors);
    for (const [key, value] of Object.entries(after.config))
      if (key === 'base_model_name_or_path') assert.is(value, join(folder, base));
      else if (key === 'modules_to_save' && before.config['ensure_weight_tying'] === true)
        // PEFT adds the embedding once more, by its whole name.
        assert.equal(value, ['embed_tokens']);
      else if (key === 'layers_pattern') assert.is(value, null);
      else if (key in before.config && !(TARGETS.includes(key) && isExpression(before.config)))
        assert.equal(inOrder(value), inOrder(before.config[key]), key);
    const other = join(out, 'again.adapter');
    const again = await runCommand(importCommand, [theirs, '--spec-out', other]);
    assert.is(again.code, 0, again.err);
    const parts = (file: string) =>
      readFileSync(file, 'utf8').replaceAll(/^[^]*\nadapter|\n  task[^]*$/g, '');
    assert.is(parts(other), parts(spec));
  } finally {
    rmSync(out, { recursive: true });
  }
}

const isExpression = (config: Readonly<Record<string, unknown>>): boolean =>
  String(config['target_modules']).includes('*');

const inOrder = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(String).sort((a, b) => (a < b ? -1 : 1)) : value;

/** Both files of a folder as plain data. */
async function contents(folder: string) {
  const config = JSON.parse(readFileSync(join(folder, 'adapter_config.json'), 'utf8')) as Readonly<
    Record<string, unknown>
  >;
  const { source } = await openPeft(folder);
  const tensors: Record<string, readonly [readonly number[], readonly number[]]> = {};
  for (const { name, shape } of [...source.tensors.values()].sort((a, b) => (a.name < b.name ? -1 : 1)))
    tensors[name] = [shape, [...(await source.read(name))]];
  await source.close();
  return { config, tensors };
}
