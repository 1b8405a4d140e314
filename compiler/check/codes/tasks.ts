/** A2xx: groups, tasks, recipes and sweeps. */
import { dedent, entry, type Code } from './code.ts';

/** An example with instructions for data and an adapter with these items. */
export const withData = (items: string, rest = ''): string =>
  `import "bases.adapter"\n\ndata instructions = alpaca("alpaca.json")\n\nadapter Example on llama7b {\n` +
  `${dedent(items).replace(/^(?=.)/gm, '  ')}}\n${rest === '' ? '' : `\n${dedent(rest)}`}`;

const biases = `
  bias biases on every linear
  task instruct on instructions trains biases`;

export const taskCodes: readonly Code[] = [
  entry(
    'A201',
    'trained by two tasks',
    `
    Joint training in LLaMA-Adapter V2 works because each kind of data updates parameters of its own (section 4.2 of the
    paper). So a parameter belongs to one task. When two tasks are to train the same ones, as an experiment without
    disjoint groups does, both say \`shared = true\`.`,
    withData(`
      bias biases on every linear
      task first_half  on instructions trains biases
      task second_half on instructions trains biases`),
    withData(`
      bias biases on every linear
      task first_half  on instructions trains biases { shared = true }
      task second_half on instructions trains biases { shared = true }`),
  ),
  entry(
    'A202',
    'a prompt that can never act',
    `
    A gate at zero multiplies the prompt's gradient by zero, and a prompt of zeros has values of zero, so it gives the gate
    no gradient either. One of them has to start elsewhere: the paper starts the gate at zero and the prompt from a
    normal distribution. A gate that is not trained (\`per: const\`) and is zero is the same mistake.`,
    withData(`
      prompt words on layers { length = 10  gate = tanh(init: 0)  init = 0 }
      task   instruct on instructions trains words`),
    withData(`
      prompt words on layers { length = 10  gate = tanh(init: 0) }
      task   instruct on instructions trains words`),
  ),
  entry(
    'A203',
    'a task from which a part learns nothing',
    `
    The loss of this task does not depend on these parameters: the examples have no images, or no prompt reads the
    projector. Their gradient is zero whatever the numbers are. Name only parts that the task reaches.`,
    withData(`
      encoder vision { model = clip("openai/clip-vit-large-patch14") }
      project visual from vision { length = 20 }
      prompt  image on layers[first 1] from visual
      group   seeing = image + visual
      task    instruct on instructions trains seeing`),
    `
    import "bases.adapter"

    data pairs = image_text("captions.jsonl")

    adapter Example on llama7b {
      encoder vision { model = clip("openai/clip-vit-large-patch14") }
      project visual from vision { length = 20 }
      prompt  image on layers[first 1] from visual
      task    caption on pairs trains image + visual
    }`,
  ),
  entry(
    'A204',
    'a gradient that stays zero',
    `
    The trained parameters are multiplied by others that start at zero and that no one moves: the gates of a prompt, or
    the second matrix of a LoRA. Train the whole part, or start the frozen factor elsewhere.`,
    withData(`
      prompt words on layers { length = 10  gate = tanh(init: 0) }
      task   instruct on instructions trains words.prompt`),
    withData(`
      prompt words on layers { length = 10  gate = tanh(init: 0) }
      task   instruct on instructions trains words`),
  ),
  entry(
    'A205',
    'a task that trains nothing',
    `
    What stands after \`trains\` holds no parameter: parts on no layers, an encoder, or a difference that leaves nothing.`,
    withData(`
      bias biases on every linear
      task instruct on instructions trains biases - biases`),
    withData(biases),
  ),
  entry(
    'A206',
    'a recipe names an unknown task',
    `
    The names in \`mix\` are tasks of the adapter that the recipe is for.`,
    withData(biases, `recipe joint for Example { mix = alternate(instruction: 1)  epochs = 5 }`),
    withData(biases, `recipe joint for Example { mix = alternate(instruct: 1)  epochs = 5 }`),
  ),
  entry(
    'A208',
    'a recipe needs epochs or steps',
    `
    A recipe says how long it trains, once: \`epochs\` are passes over the data, \`steps\` are updates of the optimizer.`,
    withData(biases, `recipe short for Example { batch = 4 }`),
    withData(biases, `recipe short for Example { batch = 4  steps = 100 }`),
  ),
  entry(
    'A209',
    'images that nothing reads',
    `
    A task on images needs a way from the image into the base: an encoder, a projector that reads it, and a prompt that
    reads the projector and sits in a layer or on the input.`,
    `
    import "bases.adapter"

    data pairs = image_text("captions.jsonl")

    adapter Example on llama7b {
      bias biases on every linear
      task caption on pairs trains biases
    }`,
    `
    import "bases.adapter"

    data pairs = image_text("captions.jsonl")

    adapter Example on llama7b {
      encoder vision { model = clip("openai/clip-vit-large-patch14") }
      project visual from vision { length = 20 }
      prompt  image on layers[first 1] from visual
      task    caption on pairs trains image + visual
    }`,
  ),
  entry(
    'A210',
    'an attribute that says nothing about the data',
    `
    Plain text has no prompt and no answer, so templates and masks do not apply to it; and only images are asked
    about.`,
    withData(`
      bias biases on every linear
      task instruct on instructions trains biases { ask = "What is this?" }`),
    withData(biases),
  ),
  entry(
    'A211',
    'a sweep of what is no param',
    `
    A sweep tries values of params, and of \`seed\`. To vary an attribute, make it a param first.`,
    withData(
      biases,
      `
      recipe short for Example { steps = 100 }
      param  late = all
      sweep  depth over Example with short { lat = [first 1, first 2] }`,
    ),
    withData(
      biases,
      `
      recipe short for Example { steps = 100 }
      param  late = all
      sweep  depth over Example with short { late = [first 1, first 2] }`,
    ),
  ),
  entry(
    'A212',
    'a group contains itself',
    `
    Groups may name each other, but not in a circle.`,
    withData(`
      bias  biases on every linear
      group writing = biases + writing`),
    withData(`
      bias  biases on every linear
      group writing = biases`),
  ),
  entry(
    'A213',
    'a mix that trains no task',
    `
    The counts in \`mix\` say how often each task has its turn. A count of zero leaves a task out, but when every count is
    zero, no turn is left. Leave \`mix\` away to have all tasks take turns.`,
    withData(biases, `recipe idle for Example { mix = alternate(instruct: 0)  epochs = 5 }`),
    withData(biases, `recipe busy for Example { mix = alternate(instruct: 1)  epochs = 5 }`),
  ),
  entry(
    'A221',
    'a sweep without trials',
    `
    A list without values, or a \`where\` that no combination fulfils, leaves nothing to run.`,
    withData(
      biases,
      `
      param  late = all
      recipe short for Example { steps = 100 }
      sweep  depth over Example with short {
        late = [first 1, first 2]
        where late == last 1
      }`,
    ),
    withData(
      biases,
      `
      param  late = all
      recipe short for Example { steps = 100 }
      sweep  depth over Example with short {
        late = [first 1, first 2]
        where late != first 1
      }`,
    ),
  ),
  entry(
    'A222',
    'a sweep of too many trials',
    `
    Every list multiplies the number of trials. More than ten thousand is more than anybody waits for: vary less at a
    time.`,
    withData(
      biases,
      `
      param  a = 0
      param  b = 0
      param  c = 0
      param  d = 0
      param  e = 0
      recipe short for Example { steps = 100 }
      sweep  depth over Example with short {
        a = [0, 1, 2, 3, 4, 5, 6]  b = [0, 1, 2, 3, 4, 5, 6]  c = [0, 1, 2, 3, 4, 5, 6]
        d = [0, 1, 2, 3, 4, 5, 6]  e = [0, 1, 2, 3, 4, 5, 6]
      }`,
    ),
    withData(
      biases,
      `
      param  a = 0
      recipe short for Example { steps = 100 }
      sweep  depth over Example with short { a = [0, 1, 2, 3, 4, 5, 6] }`,
    ),
  ),
  entry(
    'A223',
    'test data that does not fit the task',
    `
    Test data is read as the task reads its own: by the same template, with the same question. So instructions are tested
    on instructions, text on text and images on images. Instructions may also be tested on \`image_text\` data, which shows
    what an attached image does to them, when the adapter looks at images.`,
    `
    import "bases.adapter"

    data instructions = alpaca("alpaca.json")
    data heldout      = text("heldout.txt")

    adapter Example on llama7b {
      bias biases on every linear
      task instruct on instructions trains biases { test = heldout }
    }`,
    `
    import "bases.adapter"

    data instructions = alpaca("alpaca.json")
    data heldout      = alpaca("heldout.json")

    adapter Example on llama7b {
      bias biases on every linear
      task instruct on instructions trains biases { test = heldout }
    }`,
  ),
];
