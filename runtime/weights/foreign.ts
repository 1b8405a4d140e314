/**
 * Tensors that show a file to be another model, although it holds all that the base asks for. Computing without them
 * would give fluent nonsense, so each is named with what it would change. Nothing is made of other tensors: adapters,
 * vision towers and tables that can be computed lie in the same files.
 */
import { type Base, lastWord, type Parameter } from '../../compiler/model/model.ts';
import { nameIn, type Naming } from './names.ts';

/** What is asked of a parameter that the base takes from its file. */
type BaseTensor = Pick<Parameter, 'name' | 'shape' | 'source'>;

/** A tensor of a layer, under Hugging Face's names or under ours, behind whatever `Naming.prefix` is. */
const inLayer = /^((?:model\.)?layers\.)(\d+)\.(.+)$/;

/** Beside the layers, in Hugging Face's files: a bias of the head, embeddings of positions, a norm of the embedding. */
const besideLayers = /^(lm_head|model\.(norm|embed|pos|wpe)\w*)\./;

/** Names that libraries give to what they add to a layer of a base. */
const ofAdapters = /(^|[._])(lora|dora|ia3|adapters?|adaption|prompts?|prefix|oft|vera|hada|lokr)(?=[._]|$)/i;

/** What of another network a tensor is, by words of its name; the first that fits. */
const meanings: readonly (readonly [RegExp, string])[] = [
  [/(qweight|qzeros|g_idx|scales?|absmax|quant\w*|zero_points?|SCB)$/, 'part of a quantised weight'],
  [/(experts?|router|mlp\.gate)\b/, 'one of several feed-forward networks, of which each token takes a few'],
  [/\bq_(norm|layernorm)\./, 'a norm of the queries'],
  [/\bk_(norm|layernorm)\./, 'a norm of the keys'],
  [/(qkv_proj|query_key_value|c_attn|Wqkv)\./, 'queries, keys and values in one tensor'],
  [/gate_up_proj\./, 'w1 and w3 in one tensor'],
  [/sinks?$/, 'a number that takes part in every softmax'],
  [/norm\w*\.(weight|bias)$/, 'another norm'],
];

/**
 * What is wrong with the tensors that nothing asked for, each kind of them once.
 * @param whole whether the file says that it is a base and nothing else; a file under Meta's names may hold an adapter's
 * biases and gates among the base's
 * @returns lines for an error; empty when the file may be this base
 */
export function foreignTensors(
  base: Base,
  naming: Naming,
  parameters: readonly BaseTensor[],
  whole: boolean,
): string[] {
  const places = new Set<string>();
  for (const { name, source: of } of parameters)
    for (const known of [of?.names.meta ?? name, of?.names.huggingface])
      places.add(inLayer.exec(known ?? '')?.[3] ?? '');
  const found = new Map<string, { readonly example: string; readonly layers: Set<number> }>();
  let layers = 0;
  for (const other of naming.others) {
    const [, , number, place] =
      inLayer.exec(other.slice(other.startsWith(naming.prefix) ? naming.prefix.length : 0)) ?? [];
    if (place !== undefined && places.has(place) && Number(number) >= base.layers) {
      layers = Math.max(layers, Number(number) + 1);
      continue;
    }
    if (!whole || (place === undefined && !besideLayers.test(other)) || isTwin(other, parameters)) continue;
    if (ofAdapters.test(place ?? other)) continue;
    const kind = found.get(place ?? other) ?? { example: other, layers: new Set<number>() };
    found.set(place ?? other, kind);
    if (number !== undefined) kind.layers.add(Number(number));
  }
  const problems = [...found.values()].map(
    ({ example, layers: { size } }) =>
      `\`${example}\`${size > 1 ? ` (in ${size} layers)` : ''}: ${meaningOf(example)}`,
  );
  return layers > 0
    ? [...problems, `it has ${layers} layers, the base \`${base.name}\` declares ${base.layers}`]
    : problems;
}

function meaningOf(tensor: string): string {
  const meaning = meanings.find(([pattern]) => pattern.test(tensor))?.[1];
  if (meaning !== undefined) return `${meaning}, which the base does not have`;
  return tensor.endsWith('.bias')
    ? 'the base declares no such bias, this file has it'
    : 'a place that the base does not have';
}

/** The head of a base that declares its embedding to be the head. */
const isTwin = (tensor: string, parameters: readonly BaseTensor[]): boolean =>
  parameters.some(({ source }) => source?.twin?.huggingface === tensor || source?.twin?.meta === tensor);

/** Short names of linears whose bias the file has and the base does not declare. */
export function undeclaredBiases(naming: Naming, parameters: readonly BaseTensor[]): string[] {
  const others = new Set(naming.others);
  const linears = parameters.flatMap(({ name, shape, source }) => {
    if (shape.length !== 2 || source === undefined) return [];
    const bias = nameIn(naming, source.names).replace(/\.weight$/, '.bias');
    return others.has(bias) ? [lastWord(name.replace(/\.weight$/, ''))] : [];
  });
  return [...new Set(linears)];
}
