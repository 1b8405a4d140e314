/** The words of the language in a line each: what hovers and completions say about them. */
import { allPlaces } from '../families/index.ts';
import { lastWord, type SiteKind } from '../model/model.ts';

/** By keyword; a test holds it against the token table. */
export const wordDocs: Readonly<Record<string, string>> = {
  import: 'Makes the declarations of another file known; its path is relative to this one.',
  base: 'A frozen transformer: its dimensions, and where its weights are. In a group: every parameter of the base.',
  param: 'A value with a name, changed with `--set NAME="..."` or tried by a sweep.',
  data: 'Files to train on, and their format.',
  adapter: 'Trainable parts on a base, with the groups and tasks that train them.',
  recipe: 'How the tasks of an adapter take turns, and how they are optimised.',
  sweep: 'Tries several values of params and compares the runs.',
  group: 'A named set of parameters: parts, members of parts, other groups, `base`; with `+`, `-` and `&`.',
  task: 'Trains groups on data: `task NAME on DATA trains GROUP`.',
  expert: 'A model that turns an image into text beside the question.',
  override: 'Changes an inherited part, group, task or expert; what it does not write stays.',
  drop: 'Takes away an inherited part, group, task or expert.',
  on: 'Where a part sits, which data a task is trained on, or which base an adapter stands on.',
  from: 'Of a part: the part whose tokens it reads. Of a base: the model whose files describe it, a folder or a name of the hub in quotes.',
  extends: 'The adapter this one starts from, with all its items.',
  trains: 'What a task trains; all else stays frozen.',
  for: 'The adapter a recipe trains.',
  over: 'The adapter a sweep varies.',
  with: 'The recipe each run of a sweep follows.',
  where: 'Leaves out the combinations of a sweep that do not fulfil a condition.',
  first: 'So many layers from the beginning: `first 4`, `first 2 in last 8`.',
  last: 'So many layers from the end: `last 31`, `last 2 in first 4`.',
  every: 'All linears, norms or embeddings: `every linear in layers`.',
  in: 'Narrows `every`, `first` and `last` to a path or to layers.',
  by: 'The step of a range: `0..31 by 4`.',
};

/** Words that stand for layers or places without being keywords. */
export const layerWords: Readonly<Record<string, string>> = {
  all: 'Every layer.',
  none: 'No layer.',
  layers: 'The layers of the base: `layers[late]`, `layers.3`, `layers.attention.wq`.',
};

/** Short names of a kind's places in a layer; of some, only some families have them. */
const inLayers = (kind: SiteKind): string =>
  allPlaces
    .filter((place) => place.kind === kind && place.letter !== undefined)
    .map(({ name }) => lastWord(name))
    .join(', ');

/** What `every` can be followed by. */
export const siteWords: Readonly<Record<string, string>> = {
  linear: `Linears: ${inLayers('linear')} of each layer, and the output head.`,
  norm: `Norms: ${inLayers('norm')} of each layer, and the last norm.`,
  embedding: 'The embedding, `tok_embeddings`.',
};

export const inputWord = 'In front of the words, as if the tokens had been typed there.';
