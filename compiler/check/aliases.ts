/**
 * Names that people bring from other libraries. They are no part of the language: they are known only so that a mistake
 * can be answered with the right name.
 */
import type { Name, Path, Segment } from '../../grammar/ast.ts';
import { huggingfaceWords, placeWords } from '../families/words.ts';

/** Whose name a word is, and what is meant by it here: the first of these that fits. */
interface Alias {
  readonly whose: string;
  readonly ours: readonly string[];
}

type Names = Readonly<Record<string, string>>;

const huggingFace: Names = {
  ...huggingfaceWords,
  layernorm: 'norm',
  rmsnorm: 'norm',
  hidden_size: 'dim',
  num_hidden_layers: 'layers',
  num_attention_heads: 'heads',
  num_key_value_heads: 'kv_heads',
  intermediate_size: 'ffn',
  vocab_size: 'vocab',
  max_position_embeddings: 'context',
  rms_norm_eps: 'norm_eps',
  rope_theta: 'rope',
  tie_word_embeddings: 'tied',
  model_type: 'family',
  initializer_range: 'init',
  learning_rate: 'lr',
  num_train_epochs: 'epochs',
  max_steps: 'steps',
  per_device_train_batch_size: 'batch',
  gradient_accumulation_steps: 'accumulate',
  max_grad_norm: 'clip',
  lr_scheduler_type: 'schedule',
  max_length: 'max_tokens',
  adamw_torch: 'adamw',
};

const peft: Names = {
  r: 'rank',
  lora_r: 'rank',
  lora_alpha: 'alpha',
  num_virtual_tokens: 'length',
  adapter_len: 'length',
  ia3: 'rescale',
  adaption_prompt: 'prompt',
  prompt_tuning: 'prompt',
  prefix_tuning: 'prefix',
  modules_to_save: 'unfreeze',
};

const litgpt: Names = {
  attn: 'attention',
  qkv: 'wq',
  fc_1: 'w1',
  fc_2: 'w3',
  norm_1: 'attention_norm',
  norm_2: 'ffn_norm',
  wte: 'tok_embeddings',
  ln_f: 'norm',
  n_layer: 'layers',
  n_embd: 'dim',
  n_head: 'heads',
  n_query_groups: 'kv_heads',
  head_size: 'head_dim',
  block_size: 'context',
  padded_vocab_size: 'vocab',
  adapter_prompt_length: 'length',
  micro_batch_size: 'batch',
  gradient_accumulation_iters: 'accumulate',
  max_seq_length: 'max_tokens',
  mask_prompt: 'ignore',
};

const meta: Names = {
  n_layers: 'layers',
  n_heads: 'heads',
  n_kv_heads: 'kv_heads',
  max_seq_len: 'context',
  adapter_layer: 'layers',
  adapter_query: 'prompt',
  max_batch_size: 'batch',
};

const axolotl: Names = {
  num_epochs: 'epochs',
  sequence_len: 'max_tokens',
  lr_scheduler: 'schedule',
  datasets: 'data',
  base_model: 'base',
};

/** Said in many places. */
const common: Names = {
  batchsize: 'batch',
  batch_size: 'batch',
  num_steps: 'steps',
  n_epochs: 'epochs',
  grad_clip: 'clip',
  gradient_clipping: 'clip',
  grad_accum: 'accumulate',
  scheduler: 'schedule',
  random_seed: 'seed',
  num_tokens: 'length',
  prompt_length: 'length',
  projector: 'project',
  projection: 'project',
  bitfit: 'bias',
  ssf: 'scale',
  soft_prompt: 'prompt',
  dataset: 'data',
  hidden_dim: 'ffn',
  tokens: 'length',
  len: 'length',
  num_queries: 'length',
  position: 'side',
  type: 'kind',
  norm: 'unfreeze',
  train: 'unfreeze',
  trainable: 'unfreeze',
  json: 'instructions',
  jsonl: 'instructions',
  csv: 'instructions',
  parquet: 'instructions',
  messages: 'chat',
  openai: 'chat',
  sharegpt: 'chat',
  llava: 'image_text',
  imagefolder: 'image_text',
  captions: 'image_text',
  coco: 'image_text',
  completion: 'text',
};

const tables: readonly (readonly [string, Names])[] = [
  ['Hugging Face', huggingFace],
  ['PEFT', peft],
  ['litgpt', litgpt],
  ['Meta', meta],
  ['Axolotl', axolotl],
  ['', common],
];

/** Names that stand for several of ours, or for another one in another place. */
const special: ReadonlyMap<string, Alias> = new Map([
  ['proj', { whose: 'litgpt', ours: ['wo', 'w2'] }],
  ['qkv', { whose: 'litgpt', ours: ['wq', 'wk', 'wv'] }],
  ['h', { whose: 'litgpt', ours: ['layers'] }],
]);

const known: ReadonlyMap<string, Alias> = new Map([
  ...tables
    .toReversed()
    .flatMap(([whose, names]) =>
      Object.entries(names).map(([word, ours]) => [word, { whose, ours: [ours] }] as const),
    ),
  ...special,
]);

/** What a word of another library is called here, when that is one of the candidates. */
export function aliasOf(
  word: string,
  candidates: readonly string[],
): { readonly ours: string; readonly whose: string } | undefined {
  const alias = known.get(word) ?? known.get(word.toLowerCase());
  const ours = alias?.ours.find((name) => candidates.includes(name));
  return alias === undefined || ours === undefined ? undefined : { ours, whose: alias.whose };
}

/** "`q_proj` is Hugging Face's name for `wq`"; nothing about a word that everybody uses. */
export const aliasNotes = (word: string, { ours, whose }: { ours: string; whose: string }): string[] =>
  whose === '' ? [] : [`\`${word}\` is ${whose}'s name for \`${ours}\``];

/** Words around the places that others have and we do not: `model.layers.0.self_attn.q_proj.weight`. */
const heads = ['base_model', 'model', 'transformer'];
const tails = ['weight', 'linear', 'base_layer'];

/** A path as another library would write it, in our names. It need not lead anywhere. */
export function translatedPath(e: Path): Path {
  const segments: Segment[] = [];
  let area = '';
  e.segments.forEach((segment, i) => {
    if (segment.kind === 'name') {
      const { text } = segment.name;
      if (segments.length === 0 && heads.includes(text) && e.segments.length > 1) return;
      if (i === e.segments.length - 1 && segments.length > 1 && tails.includes(text)) return;
      if (text === 'attn' && area === 'attention') return;
    }
    const words = segment.kind === 'name' ? [segment.name] : segment.kind === 'choice' ? segment.names : [];
    const ours = words.flatMap((name) => translate(name, area));
    area = words.length === 1 ? (ours[0]?.text ?? area) : area;
    segments.push(joined(segment, ours));
  });
  return { ...e, segments };
}

function translate(name: Name, area: string): Name[] {
  if (name.text === 'proj') return [{ ...name, text: area === 'attention' ? 'wo' : 'w2' }];
  const ours = known.get(name.text)?.ours ?? [];
  return (ours.every((word) => placeWords.has(word)) && ours.length > 0 ? ours : [name.text]).map((text) => ({
    ...name,
    text,
  }));
}

/** The segment with other words: one is a name, several are a choice. */
function joined(segment: Segment, words: readonly Name[]): Segment {
  const [word] = words;
  if (segment.kind === 'name' && words.length === 1 && word !== undefined) return { ...segment, name: word };
  return words.length === 0 ? segment : { kind: 'choice', names: words, span: segment.span };
}
