/** A1xx, second part: layers, places, attributes and their values. */
import { entry, onLlama, type Code } from './code.ts';

export const valueCodes: readonly Code[] = [
  entry(
    'A105',
    'a layer does not exist',
    `
    Layers count from 0, so a base of 32 layers has layers 0 to 31. \`first 4\` and \`last 4\` count for you, and go on
    meaning the same when the base changes.`,
    onLlama('prompt words on layers[20..32] { length = 10 }'),
    onLlama('prompt words on layers[20..31] { length = 10 }'),
  ),
  entry(
    'A106',
    'a range without layers',
    `
    A range names its lower end first, and both ends belong to it; \`by\` is how far apart its layers are. To mean no
    layers at all, write \`none\`.`,
    onLlama('prompt words on layers[31..20] { length = 10 }'),
    onLlama('prompt words on layers[20..31] { length = 10 }'),
  ),
  entry(
    'A110',
    'a selector matches nothing',
    `
    Places of a base have the names of Meta's checkpoints: \`layers.3.attention.wq\`, \`layers.3.feed_forward.w1\`,
    \`layers.3.attention_norm\`, \`norm\`, \`output\`, \`tok_embeddings\`. A path may leave the layer out, choose layers in
    brackets (\`layers[last 4].attention\`), use \`*\` for one word, \`**\` for any number of them and braces for a choice,
    and it means everything at or below it. A part takes from these the places its kind can sit on; when there is none,
    the selector is a mistake.`,
    onLlama('bias biases on layers.attention.q_proj'),
    onLlama('bias biases on layers.attention.wq'),
  ),
  entry(
    'A117',
    'unknown attribute',
    `
    Every kind of part, and every base, task, expert, recipe and call, has a table of what may be written in it. The
    reference lists them.`,
    onLlama('prompt words on layers { lenght = 10  length = 10 }'),
    onLlama('prompt words on layers { length = 10 }'),
  ),
  entry(
    'A118',
    'a missing attribute',
    `
    Most attributes have a value that is used when they are not written; this one has none that would suit everybody.`,
    onLlama('prompt words on layers'),
    onLlama('prompt words on layers { length = 10 }'),
  ),
  entry(
    'A119',
    'a value of the wrong type',
    `
    The attribute takes another sort of value: a number instead of a string, a name instead of a number, and so on.`,
    onLlama('prompt words on layers { length = "10" }'),
    onLlama('prompt words on layers { length = 10 }'),
  ),
  entry(
    'A120',
    'a number out of range',
    `
    Counts are whole numbers from 1, rates and deviations are not negative, shares lie between 0 and 1 (or 0% and
    100%). No number may be infinite in 32 bits, with which kernels compute: the largest they hold is 3.4e38.`,
    onLlama('prompt words on layers { length = 0 }'),
    onLlama('prompt words on layers { length = 10 }'),
  ),
  entry(
    'A121',
    'an attribute given twice',
    `
    Within one pair of braces an attribute is written once. An \`override\` replaces inherited attributes one by one.`,
    onLlama('prompt words on layers { length = 10  length = 20 }'),
    onLlama('prompt words on layers { length = 20 }'),
  ),
  entry(
    'A122',
    'not one of the choices',
    `
    The value is one of a few words or calls, which the message lists.`,
    onLlama('scale scales on every linear { side = outputs }'),
    onLlama('scale scales on every linear { side = output }'),
  ),
  entry(
    'A123',
    'dimensions that do not fit',
    `
    Query heads share \`dim\` equally unless \`head_dim\` is written; key and value heads each serve the same number of
    query heads; and a head has an even width, because rotary positions turn pairs of numbers. An image is cut into whole
    patches. What a projector takes in is what its encoder gives, and a prompt is as long as the projector it reads makes
    it, so these sizes need not be written.`,
    `
    base small {
      layers = 4  dim = 128  heads = 3  ffn = 256  vocab = 1000
    }`,
    `
    base small {
      layers = 4  dim = 128  heads = 4  ffn = 256  vocab = 1000
    }`,
  ),
  entry(
    'A124',
    'a part without a place, or with one it cannot have',
    `
    Prompts and prefixes sit on layers, biases and scales on linears and norms, LoRA and (IA)3 on linears, and
    \`unfreeze\` on anything that has a parameter. Encoders and projectors stand beside the base and have no \`on\`.`,
    onLlama('bias biases'),
    onLlama('bias biases on every linear in layers'),
  ),
  entry(
    'A125',
    'prompts that cannot be added',
    `
    \`fuse = add(words)\` adds the tokens of an image to those of another prompt, one by one, before attention sees them;
    a single token is added to every one. So the prompt reads a projector, and the other must be a prompt that stands
    alone, sit in every layer in which it is added to, and have as many tokens, if it is not one. The gate of the other
    then holds for both.`,
    onLlama(`
      encoder vision { model = clip("openai/clip-vit-large-patch14") }
      project visual from vision { length = 20 }
      prompt words on layers { length = 10 }
      prompt image on layers from visual { fuse = add(words) }`),
    onLlama(`
      encoder vision { model = clip("openai/clip-vit-large-patch14") }
      project visual from vision { length = 10 }
      prompt words on layers { length = 10 }
      prompt image on layers from visual { fuse = add(words) }`),
  ),
  entry(
    'A128',
    'expected layers',
    `
    Prompts and prefixes sit on whole layers: \`layers\`, or \`layers[...]\` with layers in the brackets. Layers are
    written \`5\`, \`0..7\`, \`0..31 by 4\`, \`first 4\`, \`last 31\`, \`all\`, \`none\`, as a list of these, or joined with +
    (union), - (minus) and & (intersection).`,
    onLlama('prompt words on layers.attention { length = 10 }'),
    onLlama('prompt words on layers { length = 10 }'),
  ),
  entry(
    'A129',
    'expected a place of the base',
    `
    Parts other than prompts and prefixes sit on linears, norms or embeddings. These are selected by paths, or with
    \`every linear in ...\`; layers alone are not such places, but they can stand in brackets after \`layers\`.`,
    onLlama('bias biases on last 4'),
    onLlama('bias biases on layers[last 4]'),
  ),
  entry(
    'A130',
    'a source that does not fit',
    `
    A projector reads from an encoder or from another projector, not from itself, and a prompt may read from a projector.
    Other kinds read from nothing.`,
    onLlama(`
      encoder vision { model = clip("openai/clip-vit-large-patch14") }
      prompt  image on layers[first 1] from vision { length = 20 }`),
    onLlama(`
      encoder vision { model = clip("openai/clip-vit-large-patch14") }
      project visual from vision { length = 20 }
      prompt  image on layers[first 1] from visual`),
  ),
  entry(
    'A131',
    'a gate on the input',
    `
    A prompt \`on input\` is put in front of the words and goes through the base like them. There is no attention of its
    own that a gate could close.`,
    onLlama('prompt soft on input { length = 20  gate = tanh(init: 0) }'),
    onLlama('prompt soft on input { length = 20 }'),
  ),
  entry(
    'A132',
    'expected parts or groups',
    `
    Groups, and what a task trains, are made of names of parts and groups, members such as \`words.gate\`, and \`base\`,
    with +, - and &. Places of the base are named by an \`unfreeze\` first, which then is the part to name.`,
    onLlama(`
      bias  biases on every linear
      group writing = every linear`),
    onLlama(`
      bias  biases on every linear
      group writing = biases`),
  ),
  entry(
    'A133',
    'a string without its placeholder',
    `
    A template is filled in with an example, so it says once where the output goes: what stands before it is the prompt,
    which is not learned. An expert's answer takes the place of {text} in \`say\`.`,
    onLlama('expert ocr { say = "Text in the image:" }'),
    onLlama('expert ocr { say = "Text in the image: {text}" }'),
  ),
  entry(
    'A134',
    'two prefixes in one layer',
    `
    The keys and values of a prefix stand before those of the words, in one softmax with them, and a layer has room for
    one prefix. Two of them would be one longer prefix in any case: give it the sum of the lengths, or give each prefix
    layers of its own.`,
    onLlama(`
      prefix early on layers[first 20] { length = 10 }
      prefix late  on layers[last 20]  { length = 10 }`),
    onLlama(`
      prefix early on layers[first 16] { length = 10 }
      prefix late  on layers[last 16]  { length = 10 }`),
  ),
  entry(
    'A135',
    'an expert that cannot be run',
    `
    \`ocr\` takes the name of a language, \`http\` an address that begins with http:// or https://, and \`command\` a
    program with its arguments. A command runs without a shell: blanks part the words, single or double quotes hold one
    together, and variables, patterns, pipes and redirections mean nothing. Whether \`http\` and \`command\` may run at
    all is said on the command line (\`--allow\`), never in the spec.`,
    onLlama(`expert search { run = command("python3 'search.py {image}") }`),
    onLlama(`expert search { run = command("python3 search.py {image}") }`),
  ),
];
