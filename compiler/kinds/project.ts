/** A projector: from the tokens of an encoder, or of another projector, to prompt tokens. */
import type { Builder } from '../graph/builder.ts';
import type { Tensor } from '../graph/graph.ts';
import {
  type BlockShape,
  blockParameters,
  buildBlock,
  dense,
  layerNorm,
  networkParameter,
  type NetworkShape,
  normShapes,
  ONES,
} from '../build/vision-block.ts';
import { axis, type Axis, type Base, type Part } from '../model/model.ts';
import { numberOf } from '../model/values.ts';
import { visionOf } from './encoder.ts';
import { choice, common, count, lengthType, orNone, rateOf, times } from './fields.ts';
import type { Kind } from './kind.ts';
import { projectorProblems, vastProjector } from './project-sizes.ts';

/** LayerNorm's eps in timm 0.3.2 and torch; RMSNorm's own default in imagebind_LLM. */
const [LAYER_EPS, RMS_EPS] = [1e-5, 1e-6];
/** Residual feed-forward blocks of the ImageBind bridge. */
const BRIDGE = 3;

export const project: Kind = {
  name: 'project',
  doc: "Maps the tokens of an encoder, or of another projector, to prompt tokens of the base's width.",
  formula:
    '`linear`: P t + b; `mlp`: P2 gelu(P1 t + b1) + b2; `queries`: P blocks([query; LN(W t + b)])[: length] + b; `bridge`: v = W f / |f| + b, three times v += f2(silu(f1 n) * f3 n)',
  source:
    'linear: LLaMA-Adapter V2, arXiv 2304.15010, section 4.3; mlp: LLaVA-1.5, arXiv 2310.03744; queries: `llama_adapter_v2_multimodal7b/llama/llama_adapter.py`; bridge: `imagebind_LLM/llama/llama_adapter.py`',
  selects: 'nothing',
  reads: { kinds: ['encoder', 'project'], required: true },
  lacks: ({ width }, reads) => (reads && width === null ? 'width' : null),
  check: (part) => [...vastProjector(part), ...projectorProblems(part)],
  ownLayers: ({ fields }) => (fields['kind'] === 'queries' ? numberOf(fields['depth']) : 0),
  inherits: (source, base) => {
    if (source.kind === 'project')
      return { width: outputWidth(source, base), tokens: length(source), scales: 1 };
    const vision = visionOf(source.fields);
    return { width: vision?.width ?? null, tokens: vision?.tokens ?? null, scales: vision?.scales ?? 1 };
  },
  fields: {
    kind: {
      type: choice('linear', 'mlp', 'queries', 'bridge'),
      default: 'linear',
      doc: 'One linear layer; two with a GELU between; learned queries through transformer blocks; or the ImageBind bridge.',
    },
    length: {
      type: lengthType,
      default: 10,
      doc: 'Tokens it makes: those of the first tokens that come in, of the queries, or all from one class token by a wider layer.',
    },
    norm: { type: choice('layer', 'none'), default: 'none', doc: 'A LayerNorm on what it makes.' },
    hidden: {
      type: orNone(count),
      default: null,
      doc: "Width of the hidden layer of `mlp` and `bridge`, of the tokens inside `queries`; none: the base's width, four times that of what goes out, that of what comes in.",
    },
    block_hidden: {
      type: orNone(count),
      default: null,
      later: true,
      doc: 'Width of the hidden layer in each block of `queries`; none: four times the width of its tokens (`hidden`).',
    },
    depth: { type: times, default: 8, doc: 'Blocks of `queries`.' },
    heads: { type: times, default: 16, doc: 'Heads in each block of `queries`.' },
    output: {
      type: orNone(count),
      default: null,
      doc: "Numbers in each token it makes; none: the base's width, which prompts need.",
    },
    weights: {
      type: orNone({ kind: 'string' }),
      default: null,
      doc: 'A safetensors file; it is then frozen unless a task trains it. None: it starts from random numbers.',
      onlyTraining: true,
    },
    width: {
      type: orNone(count),
      default: null,
      doc: 'Numbers in each token that comes in. What it reads from says it.',
    },
    tokens: {
      type: orNone(count),
      default: null,
      doc: 'Tokens that come in. What it reads from says it.',
    },
    scales: {
      type: count,
      default: 1,
      doc: "Blocks whose numbers lie side by side in what comes in. The encoder's `at` says it.",
    },
    ...common,
  },
  parameters: (part, base) => {
    const rest = { owner: part.name, rate: rateOf(part) };
    const file = part.fields['weights'] === null ? undefined : ({ kind: 'weights' } as const);
    return shapesOf(part, base).map((shape) => networkParameter(shape, rest, file));
  },
  merge: {
    can: false,
    reason: 'it turns images into tokens, and a base reads words only',
  },
  hooks: { tokens: (g, part, base, batch, input) => build(g, part, base, batch, input) },
};

const of = (part: Part, name: string): number => numberOf(part.fields[name]);
const length = (part: Part): number => of(part, 'length');

/** Numbers in each token a projector makes. */
export const outputWidth = (part: Part, base: Base): number => numberOf(part.fields['output'] ?? base.dim);

/** One class token becomes all prompt tokens at once, each padded as a token is. */
const outputAxis = (part: Part, base: Base): Axis =>
  axis(outputWidth(part, base), part.fields['tokens'] === 1 ? length(part) : 1);

const hiddenOf = (part: Part, base: Base): number => {
  const fallback =
    part.fields['kind'] === 'queries'
      ? of(part, 'width')
      : part.fields['kind'] === 'bridge'
        ? 4 * outputWidth(part, base)
        : base.dim;
  return numberOf(part.fields['hidden'] ?? fallback);
};

/** timm's Block: exact GELU; four times the width inside, as its `mlp_ratio`, unless the spec says otherwise. */
const queryBlock = (part: Part, base: Base): BlockShape => {
  const width = hiddenOf(part, base);
  const hidden = numberOf(part.fields['block_hidden'] ?? 4 * width);
  return { width, heads: of(part, 'heads'), hidden, activation: 'gelu', eps: LAYER_EPS };
};

function shapesOf(part: Part, base: Base): NetworkShape[] {
  const { name } = part;
  const linear = (at: string, from: Axis, to: Axis): NetworkShape[] => [
    { name: `${at}.weight`, axes: [to, from] },
    { name: `${at}.bias`, axes: [to] },
  ];
  const scales = of(part, 'scales');
  const inputs = axis(of(part, 'width') / scales, scales);
  const [output, hidden] = [outputAxis(part, base), axis(hiddenOf(part, base))];
  const one = axis(outputWidth(part, base));
  const last = part.fields['norm'] === 'layer' ? normShapes(`${name}.norm`, one) : [];
  switch (part.fields['kind']) {
    case 'mlp':
      return [...linear(`${name}.1`, inputs, hidden), ...linear(`${name}.2`, hidden, output), ...last];
    case 'queries': {
      const blocks = Array.from({ length: of(part, 'depth') }, (_, i) =>
        blockParameters(`${name}.blocks.${i}`, queryBlock(part, base)),
      );
      const start = { kind: 'normal', mean: 0, std: 1 } as const;
      const query = { name: `${name}.query`, axes: [axis(length(part)), hidden], start };
      return [
        ...linear(`${name}.in`, inputs, hidden),
        ...normShapes(`${name}.in_norm`, hidden),
        query,
        ...blocks.flat(),
        ...linear(`${name}.out`, hidden, one),
        ...last,
      ];
    }
    case 'bridge':
      return [
        ...linear(`${name}.in`, inputs, one),
        ...Array.from({ length: BRIDGE }, (_, i) => bridgeShapes(name, one, hidden, i + 1)).flat(),
      ];
    default:
      return [...linear(name, inputs, output), ...last];
  }
}

const bridgeShapes = (name: string, width: Axis, hidden: Axis, i: number): NetworkShape[] => [
  { name: `${name}.${i}.norm.weight`, axes: [width], start: ONES },
  { name: `${name}.${i}.f1.weight`, axes: [hidden, width] },
  { name: `${name}.${i}.f2.weight`, axes: [width, hidden] },
  { name: `${name}.${i}.f3.weight`, axes: [hidden, width] },
];

/** tokens [batch x tokens, width] to tokens [batch x length, output]. */
function build(g: Builder, part: Part, base: Base, batch: number, input: Tensor): Tensor {
  const made = body(g, part, base, batch, input);
  return part.fields['norm'] === 'layer' ? layerNorm(g, `${part.name}.norm`, made, LAYER_EPS) : made;
}

function body(g: Builder, part: Part, base: Base, batch: number, input: Tensor): Tensor {
  const { name } = part;
  const output = outputAxis(part, base);
  /** From [batch, length x output] to [batch x length, output]: the same numbers in the same places. */
  const spread = (x: Tensor) =>
    output.groups === 1 ? x : g.reshape(x, batch * length(part), axis(output.size));
  const first = () => {
    g.inside(name);
    const tokens = of(part, 'tokens');
    return output.groups > 1 || tokens === length(part)
      ? input
      : g.segment(input, { batch, tokens, from: 0, length: length(part) });
  };
  switch (part.fields['kind']) {
    case 'mlp': {
      const hidden = dense(g, `${name}.1`, first(), axis(hiddenOf(part, base)));
      return spread(dense(g, `${name}.2`, g.activate(hidden, { function: 'gelu' }), output));
    }
    case 'queries':
      return queries(g, part, base, batch, input);
    case 'bridge':
      return bridge(g, part, base, input);
    default:
      return spread(dense(g, name, first(), output));
  }
}

function queries(g: Builder, part: Part, base: Base, batch: number, input: Tensor): Tensor {
  const { name } = part;
  const [block, tokens] = [queryBlock(part, base), of(part, 'tokens')];
  const features = layerNorm(
    g,
    `${name}.in_norm`,
    dense(g, `${name}.in`, input, axis(block.width)),
    LAYER_EPS,
  );
  g.inside(`${name}.query`);
  let x = g.prepend(g.vectors(`${name}.query`), features, { batch, length: length(part), tokens });
  for (let i = 0; i < of(part, 'depth'); i++) x = buildBlock(g, `${name}.blocks.${i}`, x, batch, block);
  const kept = g.segment(x, { batch, tokens: length(part) + tokens, from: 0, length: length(part) });
  return dense(g, `${name}.out`, kept, axis(outputWidth(part, base)));
}

function bridge(g: Builder, part: Part, base: Base, input: Tensor): Tensor {
  const { name } = part;
  g.inside(name);
  // The divisor is the sum of the modalities' weights as imagebind_LLM computes it.
  const unit = g.unitRows(input, { eps: 1e-12, divisor: 1 + 1e-6 });
  const [width, hidden] = [axis(outputWidth(part, base)), axis(hiddenOf(part, base))];
  let v = dense(g, `${name}.in`, unit, width);
  for (let i = 1; i <= BRIDGE; i++) {
    g.inside(`${name}.${i}`);
    const at = (what: string) => g.parameter(`${name}.${i}.${what}.weight`);
    const n = g.rmsnorm(v, at('norm'), RMS_EPS);
    v = g.add(
      g.linear(g.siluMul(g.linear(n, at('f1'), hidden), g.linear(n, at('f3'), hidden)), at('f2'), width),
      v,
    );
  }
  return v;
}
