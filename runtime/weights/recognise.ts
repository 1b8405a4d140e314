/**
 * Files that are recognised for what they are and not read, each with what can be done today. A reader that comes later
 * replaces its entry here.
 */
import { InputError } from '../input-error.ts';
import { listSome, type WeightSource } from './source.ts';

/** What a file is by its first bytes, whatever it is called. */
export function formatOf(first: Uint8Array): 'gguf' | 'torch' | null {
  const [a, b, c, d] = first;
  if (a === 0x47 && b === 0x47 && c === 0x55 && d === 0x46) return 'gguf';
  // An archive (torch.save since 1.6), and a pickle that begins with a long number (before). Fewer bytes would not do:
  // a llama2.c file of width 640 begins with 0x80 0x02.
  const archive = a === 0x50 && b === 0x4b && c === 3 && d === 4;
  const pickle = a === 0x80 && b === 2 && c === 0x8a && d === 0x0a;
  return archive || pickle ? 'torch' : null;
}

/** Adapters of PEFT name their tensors so, in any method. */
const ofPeft =
  /^base_model\.model\.|^prompt_embeddings$|\.lora_[AB]\.(default\.)?weight$|\.lora_magnitude_vector/;

/** A folder or a file that PEFT wrote, given where weights or an adapter file of ours are read. */
export const isPeft = (where: string): InputError =>
  new InputError(
    `${where} is an adapter of PEFT`,
    '`graft import FOLDER --spec-out my.adapter` makes a spec and an adapter file of it',
  );

/** Refuses what was opened and is another program's adapter. */
export function refusePeft(source: WeightSource): void {
  if ([...source.tensors.keys()].some((name) => ofPeft.test(name))) throw isPeft(source.name);
}

/** Whether a file is a whole model: it has an embedding, by the name it has in any of the formats. */
const embedding = /(^|\.)(tok_embeddings|embed_tokens|token_embd|wte)\.weight$/;

/** What to say of a file that was given as an adapter and has nothing of it. */
export function notThisAdapter(source: WeightSource, model: string, needed: readonly string[]): InputError {
  const names = [...source.tensors.keys()];
  const holds = `${source.name} holds nothing of the adapter \`${model}\``;
  if (names.some((name) => embedding.test(name)))
    return new InputError(
      `${holds}: it is a whole model`,
      "name it as `weights` in the spec's base, and give the file that training wrote (adapter.safetensors) as the adapter",
    );
  return new InputError(holds, `it has ${listSome(names)}; the adapter needs ${listSome(needed)}`);
}

/** What to do with a folder that has no weights under the usual names, by what it has. */
export function adviceFor(files: readonly string[], usual: readonly string[]): string {
  const gguf = files.filter((file) => file.endsWith('.gguf'));
  if (gguf.length > 0) return `it has ${listSome(gguf)}: give one of these files itself`;
  if (files.includes('adapter.safetensors'))
    return 'it is the folder of a training: its trained parts are adapter.safetensors, which goes with --adapter';
  if (files.some((file) => /^(tf_model\.h5|flax_model\.msgpack|model\.onnx)$/.test(file)))
    return 'it has weights of TensorFlow, Flax or ONNX: get the safetensors or the PyTorch files of the model';
  const other = files.filter((file) => /\.(safetensors|pth|pt|bin)$/.test(file));
  if (other.length > 0) return `it has ${listSome(other)}: give one of these files itself`;
  return `it should have one of ${usual.join(', ')}`;
}

/** Several files of PyTorch, as transformers wrote large models before safetensors. */
export const isTorchIndex = (path: string): InputError =>
  new InputError(
    `${path} names several files of PyTorch, which Graft does not read yet`,
    'write them as safetensors in Python: `AutoModelForCausalLM.from_pretrained("FOLDER").save_pretrained("OUT")`, and give OUT',
  );
