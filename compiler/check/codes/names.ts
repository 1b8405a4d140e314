/** A1xx, first part: names of declarations, parts, groups and params. */
import { entry, onLlama, type Code } from './code.ts';

export const nameCodes: readonly Code[] = [
  entry(
    'A101',
    'declared twice',
    `
    A name means one thing. Declarations of one sort share their names over a spec and all its imports; parts, groups,
    tasks and experts share theirs within an adapter and those it extends. To change what is inherited, write
    \`override\`.`,
    onLlama(`
      prompt words on layers { length = 10 }
      bias   words on every linear`),
    onLlama(`
      prompt words  on layers { length = 10 }
      bias   biases on every linear`),
  ),
  entry(
    'A102',
    'unknown base',
    `
    An adapter stands on a base that is declared in the same file or in one it imports.`,
    `
    import "bases.adapter"

    adapter Example on llama7 {}`,
    `
    import "bases.adapter"

    adapter Example on llama7b {}`,
  ),
  entry(
    'A103',
    'unknown kind of part',
    `
    A part begins with its kind. The kinds are prompt, bias, scale, unfreeze, lora, rescale, prefix, encoder and
    project; the reference says what each does and which attributes it has.`,
    onLlama('promt words on layers { length = 10 }'),
    onLlama('prompt words on layers { length = 10 }'),
  ),
  entry(
    'A104',
    'unknown name',
    `
    A name that stands for layers or a value is a \`param\`, or a word such as \`all\` and \`none\`.`,
    `
    import "bases.adapter"

    param late = last 31 in layers

    adapter Example on llama7b {
      prompt words on layers[later] { length = 10 }
    }`,
    `
    import "bases.adapter"

    param late = last 31 in layers

    adapter Example on llama7b {
      prompt words on layers[late] { length = 10 }
    }`,
  ),
  entry(
    'A107',
    'the import is not there',
    `
    An import is a path, relative to the file that it is written in.`,
    `
    import "base.adapter"`,
    `
    import "bases.adapter"`,
  ),
  entry(
    'A108',
    'imports go in a circle',
    `
    A file cannot import itself, nor one that leads back to it. Move what both need into a third file.`,
    `
    import "example.adapter"`,
    `
    import "bases.adapter"`,
  ),
  entry(
    'A109',
    'an adapter extends itself',
    `
    An adapter takes over what its parent has, so the chain of parents has to end at one that stands on a base.`,
    `
    adapter Example extends Example {}`,
    `
    import "bases.adapter"

    adapter Parent on llama7b {}
    adapter Example extends Parent {}`,
  ),
  entry(
    'A111',
    'unknown adapter or recipe',
    `
    \`extends\`, \`for\`, \`over\` and \`with\` are followed by the name of an adapter or a recipe of this spec or its
    imports.`,
    `
    import "bases.adapter"

    adapter Parent on llama7b {}
    adapter Example extends Parents {}`,
    `
    import "bases.adapter"

    adapter Parent on llama7b {}
    adapter Example extends Parent {}`,
  ),
  entry(
    'A112',
    'nothing to override or drop',
    `
    \`override\` and \`drop\` change what an adapter inherits, so what they name has to be there, and an override can only
    give it what its kind has: a task has \`trains\` and attributes, a group has \`=\`, a part has \`on\`, \`from\` and
    attributes.`,
    `
    import "bases.adapter"

    adapter Parent on llama7b {
      scale scales on every linear
    }
    adapter Example extends Parent {
      drop scale
    }`,
    `
    import "bases.adapter"

    adapter Parent on llama7b {
      scale scales on every linear
    }
    adapter Example extends Parent {
      drop scales
    }`,
  ),
  entry(
    'A113',
    'reads from what is not there',
    `
    After \`from\`, and in \`fuse = add(...)\`, stands the name of a part of the same adapter.`,
    onLlama(`
      encoder vision { model = clip("openai/clip-vit-large-patch14") }
      project visual from vison { length = 20 }`),
    onLlama(`
      encoder vision { model = clip("openai/clip-vit-large-patch14") }
      project visual from vision { length = 20 }`),
  ),
  entry(
    'A114',
    'unknown part or group',
    `
    A group is made of parts and other groups of the same adapter, of \`base\`, and of members of parts: \`words.gate\` is
    the gates of the prompt \`words\` without its tokens. When a part is dropped, it leaves the groups it inherits, but it
    cannot be named in new ones.`,
    onLlama(`
      prompt words on layers { length = 10 }
      group  writing = word`),
    onLlama(`
      prompt words on layers { length = 10 }
      group  writing = words`),
  ),
  entry(
    'A115',
    'unknown data source',
    `
    A task is \`on\` a data source, which a \`data\` declaration names.`,
    `
    import "bases.adapter"

    data instructions = alpaca("alpaca.json")

    adapter Example on llama7b {
      bias biases on every linear
      task instruct on instruction trains biases
    }`,
    `
    import "bases.adapter"

    data instructions = alpaca("alpaca.json")

    adapter Example on llama7b {
      bias biases on every linear
      task instruct on instructions trains biases
    }`,
  ),
  entry(
    'A116',
    'a param refers to itself',
    `
    A param's value may use other params, but in the end it has to be made of values.`,
    `
    param late  = early
    param early = late`,
    `
    param late  = last 31
    param early = all - late`,
  ),
  entry(
    'A126',
    'no such param to set',
    `
    \`--set NAME=VALUE\` gives a param of the spec or its imports another value for one run.`,
    `
    // graft check --set lat="last 2"
    param late = last 31`,
    `
    // graft check --set late="last 2"
    param late = last 31`,
  ),
  entry(
    'A127',
    'an adapter without a base',
    `
    An adapter is written \`on\` a base, or it \`extends\` an adapter that is.`,
    `
    adapter Example {}`,
    `
    import "bases.adapter"

    adapter Example on llama7b {}`,
  ),
];
