/** Generating with a cache: the same as running the whole text, for every spec, in any batch, after any training. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Base, Model } from '../../compiler/model/model.ts';
import type { Device } from '../../runtime/device/device.ts';
import {
  capacity,
  decode,
  type Decoder,
  endless,
  extend,
  generate,
  makeDecoder,
  prefill,
} from '../../runtime/generate.ts';
import { argmax, createSampler } from '../../runtime/sample.ts';
import { parameterNamed, type Session, writeParameter } from '../../runtime/session.ts';
import { gradients, makeTrainer, trainStep } from '../../runtime/train/trainer.ts';
import { randomBatch } from '../compiler/oracle.ts';
import { distance, forward, openModel, withDevice } from '../compiler/sessions.ts';
import { fromLibrary, library, modelOf, odd, randomValues, recipeFor, tiny } from '../compiler/subjects.ts';

const t = suite('generation');
const [BATCH, TOKENS, PREFILLED] = [2, 8, 5];
const CLOSE = 1e-4;

async function openFor(device: Device, model: Model, batch = BATCH, context = 14): Promise<Session> {
  return openModel(device, model, randomValues(model), {
    generation: { batch, tokens: TOKENS, context },
    forward: { batch, tokens: TOKENS },
  });
}

/** Rows of a sequence. */
const rowsOf = (tokens: Uint32Array): number[][] =>
  Array.from({ length: tokens.length / TOKENS }, (_, b) => [
    ...tokens.subarray(b * TOKENS, (b + 1) * TOKENS),
  ]);

/** Feeds texts word by word behind a prefilled start, and compares every row of logits with the whole texts' at once. */
async function checkCache(session: Session, tokens: Uint32Array, vocab: number): Promise<void> {
  const wanted = await forward(session, tokens);
  const d = makeDecoder(session);
  const texts = rowsOf(tokens);
  let rows = await prefill(
    d,
    texts.map((text) => text.slice(0, PREFILLED)),
  );
  for (let at = PREFILLED; ; at++) {
    rows.forEach((row, b) => {
      assert.is(row.length, vocab);
      const off = distance(row, wanted[b * TOKENS + at - 1] ?? []);
      assert.ok(off < CLOSE, `sequence ${b} after ${at} words is off by ${off}`);
    });
    if (at === TOKENS) return;
    rows = await decode(
      d,
      texts.map((text) => text[at] ?? 0),
      texts.map(() => at),
    );
  }
}

/** A start of any length, then the rest in pieces of other lengths behind the filled cache. */
async function checkExtend(model: Model, device: Device): Promise<void> {
  const session = await openModel(device, model, randomValues(model), {
    generation: { batch: BATCH, tokens: 4, context: TOKENS, extend: true },
    forward: { batch: BATCH, tokens: TOKENS },
  });
  const { tokens } = randomBatch(model, BATCH, TOKENS);
  const wanted = await forward(session, tokens);
  const d = makeDecoder(session);
  const texts = rowsOf(tokens);
  // The sequences get their words in pieces of different lengths, so that the shorter of each two is padded.
  const cuts = [
    [2, 5, 6, 8],
    [3, 4, 8, 8],
  ];
  const upTo = (b: number, k: number): number => cuts[b]?.[k] ?? 0;
  let rows = await prefill(
    d,
    texts.map((text, b) => text.slice(0, upTo(b, 0))),
  );
  for (let k = 0; ; k++) {
    rows.forEach((row, b) => {
      const off = distance(row, wanted[b * TOKENS + upTo(b, k) - 1] ?? []);
      assert.ok(off < 1e-5, `sequence ${b} after ${upTo(b, k)} words is off by ${off}`);
    });
    if (k === 3) return;
    // What is complete is given its last word again, at its place.
    const from = (b: number): number => Math.min(upTo(b, k), upTo(b, k + 1) - 1);
    rows = await extend(
      d,
      texts.map((text, b) => text.slice(from(b), upTo(b, k + 1))),
      texts.map((_, b) => from(b)),
    );
  }
}

for (const { name, model } of library())
  t(`pieces behind a filled cache are the whole pass: ${name}`, () =>
    withDevice((device) => checkExtend(model, device)),
  );

for (const { name, model } of library())
  t(`prefill and decode are the whole pass: ${name}`, () =>
    withDevice(async (device) =>
      checkCache(await openFor(device, model), randomBatch(model, BATCH, TOKENS).tokens, model.base.vocab),
    ),
  );

t('prefill and decode are the whole pass: everything at once, half-split rotation, odd width', () =>
  withDevice(async (device) => {
    const base: Base = { ...odd, rope: { style: 'half', theta: 100 } };
    const items = `prompt w on layers[all] { length = 3 }
      prompt u on input { length = 2 }
      prefix f on layers[last 1] { length = 2 }
      bias b on every linear
      lora l on every linear in layers { rank = 2  on_prompts = true }
      task train on some trains w + u + f + b + l`;
    const model = modelOf(items, base);
    await checkCache(await openFor(device, model), randomBatch(model, BATCH, TOKENS).tokens, base.vocab);
  }),
);

t('decoding goes on past the first count of keys, up to the context and not beyond', () =>
  withDevice(async (device) => {
    const base: Base = { ...tiny, context: 70 };
    const model = fromLibrary('prompt-tuning.adapter', { base });
    const session = await openModel(device, model, randomValues(model), {
      generation: { batch: 1, tokens: TOKENS, context: 70 },
      forward: { batch: 1, tokens: 70 },
    });
    assert.equal(
      session.manifest.programs.flatMap((p) => (p.kind === 'decode' ? [p.keys] : [])),
      [64, 73],
    );
    const d = makeDecoder(session);
    assert.equal(capacity(d), { batch: 1, prompt: TOKENS, context: 70 });
    const { tokens } = randomBatch(model, 1, 70);
    const wanted = await forward(session, tokens);
    await prefill(d, [[...tokens.subarray(0, TOKENS)]]);
    for (let at = TOKENS; at < 70; at++) {
      const [row] = await decode(d, [tokens[at] ?? 0], [at]);
      assert.ok(
        distance(row ?? [], wanted[at] ?? []) < CLOSE,
        `word ${at} is off by ${distance(row ?? [], wanted[at] ?? [])}`,
      );
    }
    const beyond = await decode(d, [1], [70]).then(
      () => '',
      (error: Error) => error.message,
    );
    assert.match(beyond, /position 70 is past the context/);
    const answer = await generate(d, [[1, 2, 3]], { maxTokens: 1000, tokenizer: endless, pick: argmax });
    assert.is(answer[0]?.length, 67, 'an answer ends at the context');
  }),
);

/** A model whose next words are well apart, so that rounding does not decide. */
const speaker = fromLibrary('llama-adapter-v1.adapter');
const prompts = [[1, 5, 2, 9, 3], [4], [7, 7, 1, 2, 3, 4, 5, 6], [11, 0]];

const answers = (
  d: Decoder,
  texts: readonly (readonly number[])[],
  seed: number | null,
  first = 0,
): Promise<number[][]> => {
  const samplers = texts.map((_, b) =>
    createSampler({ temperature: seed === null ? 0 : 1.5, seed: seed ?? 0 }, first + b),
  );
  return generate(d, texts, {
    maxTokens: 5,
    tokenizer: endless,
    pick: (logits, b) => samplers[b]?.(logits) ?? 0,
  });
};

t('prompts of unequal length get the answers they get alone, greedy and sampled', () =>
  withDevice(async (device) => {
    for (const model of [speaker, fromLibrary('prompt-tuning.adapter'), fromLibrary('prefix.adapter')]) {
      const d = makeDecoder(await openFor(device, model, 4));
      for (const seed of [null, 3]) {
        const together = await answers(d, prompts, seed);
        for (const [b, prompt] of prompts.entries())
          assert.equal((await answers(d, [prompt], seed, b))[0], together[b], `${model.name}: prompt ${b}`);
        // In other company and another place, with what is left in the cache from before.
        const turned = [...prompts].reverse();
        const samplers = turned.map((_, b) =>
          createSampler({ temperature: seed === null ? 0 : 1.5, seed: seed ?? 0 }, turned.length - 1 - b),
        );
        const reversed = await generate(d, turned, {
          maxTokens: 5,
          tokenizer: endless,
          pick: (logits, b) => samplers[b]?.(logits) ?? 0,
        });
        assert.equal([...reversed].reverse(), together);
      }
    }
  }),
);

t('a seed gives the same text again, another seed another', () =>
  withDevice(async (device) => {
    const d = makeDecoder(await openFor(device, speaker, 4));
    const first = await answers(d, prompts, 1);
    assert.equal(await answers(d, prompts, 1), first);
    assert.not.equal(await answers(d, prompts, 2), first);
    const twins = await answers(
      d,
      [
        [1, 2],
        [1, 2],
      ],
      1,
    );
    assert.not.equal(twins[0], twins[1], 'sequences of a seed differ');
  }),
);

t('the end token and a callback end one sequence and leave the others', () =>
  withDevice(async (device) => {
    const d = makeDecoder(await openFor(device, speaker, 4));
    const free = await generate(d, prompts, { maxTokens: 5, tokenizer: endless, pick: argmax });
    const eos = free[0]?.[2] ?? -1;
    const ended = await generate(d, prompts, {
      maxTokens: 5,
      tokenizer: { ...endless, ends: new Set([eos]) },
      pick: argmax,
    });
    free.forEach((answer, b) => {
      const at = answer.indexOf(eos);
      assert.equal(ended[b], at < 0 ? answer : answer.slice(0, at));
    });
    const seen: number[][] = prompts.map(() => []);
    const onToken = (b: number, id: number): boolean => {
      seen[b]?.push(id);
      return b === 1 && seen[b]?.length === 2;
    };
    const stopped = await generate(d, prompts, { maxTokens: 5, tokenizer: endless, pick: argmax, onToken });
    assert.equal(
      stopped,
      free.map((answer, b) => (b === 1 ? answer.slice(0, 2) : answer)),
    );
    assert.equal(seen, stopped, 'every token is told once');
  }),
);

t('answers end at any of several ends, and hold no id that belongs to no token', () =>
  withDevice(async (device) => {
    const d = makeDecoder(await openFor(device, speaker, 4));
    const free = await generate(d, prompts, { maxTokens: 5, tokenizer: endless, pick: argmax });
    const ends = new Set([free[0]?.[2] ?? -1, free[1]?.[1] ?? -1]);
    const ended = await generate(d, prompts, {
      maxTokens: 5,
      tokenizer: { ...endless, ends },
      pick: argmax,
    });
    free.forEach((answer, b) => {
      const at = answer.findIndex((id) => ends.has(id));
      assert.equal(ended[b], at < 0 ? answer : answer.slice(0, at));
    });
    // A tokenizer with fewer tokens than the base has rows, and with a hole in the middle; likeliest and by chance.
    const known = free.flat().sort((a, b) => a - b);
    const [hole, vocabSize] = [known[0] ?? 0, known.at(-1) ?? 0];
    for (const temperature of [0, 1.5, 1e6]) {
      const samplers = prompts.map((_, b) => createSampler({ temperature }, b));
      const answers = await generate(d, prompts, {
        maxTokens: 6,
        tokenizer: { vocabSize, gaps: [hole], ends: new Set() },
        pick: (logits, b) => samplers[b]?.(logits) ?? -1,
      });
      const ids = answers.flat();
      assert.is(ids.length, 6 * prompts.length);
      assert.ok(
        ids.every((id) => id !== hole && id < vocabSize),
        `${ids.join(' ')} at temperature ${temperature}`,
      );
    }
  }),
);

t("prompts' keys and values are computed again after training or loading, and not otherwise", () =>
  withDevice(async (device) => {
    const recipe = recipeFor(speaker);
    const session = await openModel(device, speaker, randomValues(speaker), {
      recipe,
      training: { batch: BATCH, tokens: { instruct: TOKENS } },
      generation: { batch: BATCH, tokens: TOKENS, context: 14 },
      forward: { batch: BATCH, tokens: TOKENS },
    });
    const trainer = makeTrainer(session);
    const d = makeDecoder(session);
    const runs: string[][] = [];
    const { executor } = session;
    const watched: Session = {
      ...session,
      executor: Object.create(executor, {
        runAndRead: {
          value: (works: string[], slices: []) => (runs.push(works), executor.runAndRead(works, slices)),
        },
      }) as typeof executor,
    };
    const watching = { ...d, session: watched };
    const { tokens } = randomBatch(speaker, BATCH, TOKENS);
    const last = async () => {
      const rows = await prefill(watching, rowsOf(tokens));
      const wanted = await forward(session, tokens);
      rows.forEach((row, b) => assert.ok(distance(row, wanted[(b + 1) * TOKENS - 1] ?? []) < CLOSE));
      return rows.map((row) => [...row]);
    };
    const before = await last();
    await last();
    await gradients(trainer, 'instruct', randomBatch(speaker, BATCH, TOKENS));
    await last();
    await trainStep(trainer, 'instruct', [randomBatch(speaker, BATCH, TOKENS)], 0.1);
    const after = await last();
    assert.ok(distance(after.flat(), before.flat()) > 1e-3, 'training changed the model');
    const p = parameterNamed(session, 'words.layers.1.prompt');
    writeParameter(session, p, new Float32Array(3 * tiny.dim).fill(0.5));
    await last();
    await last();
    assert.equal(
      runs.map((works) => works.includes('prompts')),
      [true, false, false, true, true, false],
    );
  }),
);

t.run();
