/** A3xx: warnings. */
import { type Code, entry } from './code.ts';
import { withData } from './tasks.ts';

export const warningCodes: readonly Code[] = [
  entry(
    'A301',
    'two prompts meet in a layer',
    `
    Each prompt keeps its own softmax and its own gate, and what comes of them is added, so this is allowed and an
    experiment worth making. LLaMA-Adapter V2 keeps them apart: with N layers, the image enters the first K and prompts sit in the
    last L, where K + L is at most N (section 4.3; its own setting is N = 32, L = 31, K = 1).`,
    withData(`
      prompt words on layers[last 31]  { length = 10 }
      prompt image on layers[first 2] { length = 20 }
      task   instruct on instructions trains words + image`),
    withData(`
      prompt words on layers[last 31]  { length = 10 }
      prompt image on layers[first 1] { length = 20 }
      task   instruct on instructions trains words + image`),
  ),
  entry(
    'A302',
    'nothing trains a part',
    `
    No task names this part, nor a group that holds it, so it stays as it was made. That costs time and changes nothing,
    unless its initial numbers do.`,
    withData(`
      bias  biases on every linear
      scale scales on every linear
      task  instruct on instructions trains biases`),
    withData(`
      bias  biases on every linear
      scale scales on every linear
      task  instruct on instructions trains biases + scales`),
  ),
  entry(
    'A303',
    'a recipe that leaves a task out',
    `
    \`mix\` names some tasks of the adapter but not all, so those left out never train. Leave \`mix\` away to have all of
    them take turns.`,
    withData(
      `
      bias  biases on every linear
      scale scales on every linear
      task  shift   on instructions trains biases
      task  stretch on instructions trains scales`,
      `recipe half for Example { mix = alternate(shift: 1)  epochs = 5 }`,
    ),
    withData(
      `
      bias  biases on every linear
      scale scales on every linear
      task  shift   on instructions trains biases
      task  stretch on instructions trains scales`,
      `recipe both for Example { mix = alternate(shift: 1, stretch: 1)  epochs = 5 }`,
    ),
  ),
  entry(
    'A304',
    'images that enter nowhere',
    `
    The prompt that reads an image sits on no layers, since its selector is \`none\`. That is how a sweep over the layers of
    an image begins: the task learns its words without looking. Encoder, projector and prompt are left out, so a task
    that trains nothing else is an error.`,
    `
    import "bases.adapter"

    data pairs = image_text("captions.jsonl")

    adapter Example on llama7b {
      bias    biases on every linear
      encoder vision { model = clip("openai/clip-vit-large-patch14") }
      project visual from vision { length = 20 }
      prompt  image on layers[none] from visual
      task    caption on pairs trains biases + visual + image
    }`,
    `
    import "bases.adapter"

    data pairs = image_text("captions.jsonl")

    adapter Example on llama7b {
      bias    biases on every linear
      encoder vision { model = clip("openai/clip-vit-large-patch14") }
      project visual from vision { length = 20 }
      prompt  image on layers[first 1] from visual
      task    caption on pairs trains biases + visual + image
    }`,
  ),
  entry(
    'A305',
    'a zero with which nothing is learned',
    `
    A learning rate of zero leaves every parameter as it starts, and so does a \`rate\` of zero for one part. LoRA with
    \`alpha = 0\` multiplies its update by zero, and the gradient with it. A bottleneck whose two matrices start at zero
    trains neither, since the gradient of each is a product with the other. All of these can be meant, in an experiment
    that compares with no training, so this is a warning. A number below the least normal one of 32 bits, 1.2e-38, such as
    1e-40, is zero too.`,
    withData(`
      lora low on layers.attention { alpha = 0 }
      task instruct on instructions trains low`),
    withData(`
      lora low on layers.attention { alpha = 16 }
      task instruct on instructions trains low`),
  ),
  entry(
    'A306',
    'a warm-up longer than the run',
    `
    The learning rate rises for as long as \`warmup\` says, and the run ends before it has arrived. A share, such as
    \`warmup: 10%\`, goes with any length. Where the run is written in epochs and the warm-up in steps, how long the run is
    depends on the data, and \`graft train\` says this instead.`,
    withData(
      `
      bias biases on every linear
      task instruct on instructions trains biases`,
      `recipe short for Example { schedule = cosine(warmup: 100 steps)  steps = 50 }`,
    ),
    withData(
      `
      bias biases on every linear
      task instruct on instructions trains biases`,
      `recipe short for Example { schedule = cosine(warmup: 10%)  steps = 50 }`,
    ),
  ),
];
