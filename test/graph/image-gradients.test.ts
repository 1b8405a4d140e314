/** Programs that see images, differentiated: encoder, projectors and the prompts that read them, against finite differences. */
import { suite } from 'uvu';
import type { Model, Task } from '../../compiler/model/model.ts';
import { showsImages } from '../../compiler/compile/tasks.ts';
import { checkTask } from '../compiler/differences.ts';
import { imageLibrary, modelOf, odd, tiny } from '../compiler/subjects.ts';

const t = suite('gradients with images');

/** Four patches of 2 x 2 pixels, two heads of 3. */
const VIT =
  'encoder vision { model = vit(resolution: 4, patch: 2, width: 6, layers: 1, heads: 2, output: 5) }';
/** Three blocks of odd width. */
const deep = (take: string, at: string): string =>
  `encoder vision { model = vit(resolution: 4, patch: 2, width: 6, layers: 3, heads: 2, output: 5)  take = ${take}  at = ${at} }`;
const FEATURES = 'encoder vision { model = features(width: 7) }';
const READ = 'prompt image on layers[first 1] from visual';

const model = (items: string, trains: string, base = tiny): Model =>
  modelOf(`${items}\ntask train on some trains ${trains}`, base, 'image_text("some.jsonl")');

const variants: Readonly<Record<string, readonly [string, string]>> = {
  'a linear projector, early, with prompts late': [
    `${VIT}\nproject visual from vision { length = 3 }\n${READ}\nprompt words on layers[last 1] { length = 2 }`,
    'visual + image + words',
  ],
  'the encoder is trained too': [
    `${VIT}\nproject visual from vision { length = 2 }\n${READ}`,
    'vision + visual + image',
  ],
  'an mlp with a norm': [
    `${VIT}\nproject visual from vision { kind = mlp  length = 2  hidden = 9  norm = layer }\n${READ}`,
    'visual + image',
  ],
  'learned queries': [
    `${VIT}\nproject visual from vision { kind = queries  length = 3  depth = 1  heads = 2  hidden = 6 }\n${READ}`,
    'visual + image',
  ],
  'the bridge, on features': [
    `${FEATURES}\nproject visual from vision { kind = bridge  length = 1  hidden = 9 }\n${READ}`,
    'visual + image',
  ],
  'a class token spread over the prompt': [
    `${FEATURES}\nproject visual from vision { length = 3 }\n${READ}`,
    'visual + image',
  ],
  'image tokens in front of the words': [
    `${VIT}\nproject visual from vision { length = 3 }\nprompt image on input from visual`,
    'visual',
  ],
  'image tokens and a soft prompt in front of the words': [
    `${VIT}\nproject visual from vision { length = 2 }\nprompt soft on input { length = 3 }\nprompt image on input from visual`,
    'visual + soft',
  ],
  'patches of a block in the middle, the encoder trained': [
    `${deep('patches', '1')}\nproject visual from vision { length = 4 }\n${READ}`,
    'vision + visual + image',
  ],
  'class tokens of two blocks side by side, added to every token of prompts': [
    `${deep('class', '[0, 2]')}\nproject visual from vision { kind = mlp  length = 1  hidden = 5 }\nprompt words on layers[all] { length = 3 }\nprompt image on layers[all] from visual { fuse = add(words) }`,
    'visual + words',
  ],
  'all tokens of three blocks through learned queries, the encoder trained': [
    `${deep('tokens', 'all')}\nproject visual from vision { kind = queries  length = 3  depth = 1  heads = 2  hidden = 6 }\n${READ}`,
    'vision + visual + image',
  ],
  'a projector behind frozen queries': [
    `${VIT}\nproject former from vision { kind = queries  length = 3  depth = 1  heads = 2  hidden = 6  output = 7  norm = layer  weights = "former.safetensors" }\nproject visual from former { length = 2 }\n${READ}`,
    'visual + image',
  ],
  'three projectors, all trained': [
    `${FEATURES}\nproject one from vision { length = 3  output = 5 }\nproject two from one { kind = mlp  length = 3  hidden = 9  output = 6 }\nproject visual from two { length = 2  norm = layer }\n${READ}`,
    'one + two + visual + image',
  ],
  'the same tokens added twice': [
    `${VIT}\nproject visual from vision { length = 3 }\nprompt words on layers[all] { length = 3 }\nprompt a on layers[all] from visual { fuse = add(words) }\nprompt b on layers[last 1] from visual { fuse = add(words) }`,
    'visual + words',
  ],
  'tokens added to themselves': [
    `${VIT}\nproject visual from vision { length = 3 }\nprompt words on layers[all] from visual\nprompt a on layers[all] from visual { fuse = add(words) }`,
    'visual + words',
  ],
  'two images added to one prompt, one token and all': [
    `${VIT}\nproject visual from vision { length = 3 }\nproject all from vision { length = 1 }\nprompt words on layers[all] { length = 3 }\nprompt image on layers[all] from visual { fuse = add(words) }\nprompt other on layers[last 1] from all { fuse = add(words) }`,
    'visual + all + words',
  ],
  'an image added to prompts': [
    `${VIT}\nproject visual from vision { length = 3 }\nprompt words on layers[all] { length = 3 }\nprompt image on layers[all] from visual { fuse = add(words) }`,
    'visual + words',
  ],
};
for (const [name, [items, trains]] of Object.entries(variants))
  for (const base of [tiny, odd])
    t(`${name}, on ${base.name}`, () => {
      const made = model(items, trains, base);
      checkTask(made, made.tasks[0] as Task, { image: true });
    });

for (const base of [tiny, odd])
  for (const { name, model: subject } of imageLibrary(base))
    for (const task of subject.tasks)
      t(`${name} ${task.name} on ${base.name}`, () => {
        checkTask(subject, task, { image: showsImages(subject, task.name) });
      });

t.run();
