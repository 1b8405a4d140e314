/** A low-rank update beside a linear. */
import { axis, logical, type Init, type Parameter, type Part, type Site } from '../model/model.ts';
import { numberOf } from '../model/values.ts';
import type { Builder } from '../graph/builder.ts';
import type { Tensor } from '../graph/graph.ts';
import { addProduct, rowNorms } from './affine.ts';
import { common, constant, count, number, orNone, parameterOf, textOf } from './fields.ts';
import type { Fold, Kind } from './kind.ts';

/** What the update is multiplied by: alpha / rank, alpha / sqrt(rank) with `rslora`, or 1 when `alpha = none`. */
function loraFactor(part: Part): number {
  const alpha = part.fields['alpha'] ?? null;
  if (alpha === null) return 1;
  const rank = numberOf(part.fields['rank']);
  return numberOf(alpha) / (part.fields['rslora'] === true ? Math.sqrt(rank) : rank);
}

export const lora: Kind = {
  name: 'lora',
  doc: 'Adds a trainable product of two thin matrices to each selected linear.',
  formula:
    'y = W x + (alpha / rank) B A x; alpha = none leaves the factor out, rslora = true makes it alpha / sqrt(rank); dora = true: y = m / |W + (alpha / rank) B A| * (W x + (alpha / rank) B A x), norms by row',
  source:
    'LoRA, arXiv 2106.09685, section 4.1; `llama_adapter_v2_multimodal7b/llama/llama.py` for alpha = none',
  selects: 'linears',
  fields: {
    rank: { type: count, default: 8, doc: 'Width of the thin matrices.' },
    alpha: {
      type: orNone(number(0)),
      default: null,
      doc: 'The update is multiplied by alpha / rank; none: by 1.',
      idle: 'the update is multiplied by 0 and learns nothing',
    },
    rslora: {
      type: { kind: 'boolean' },
      default: false,
      later: true,
      doc: 'Whether the update is multiplied by alpha / sqrt(rank) instead (rsLoRA, arXiv 2312.03732), so that a larger rank learns no slower.',
    },
    dora: {
      type: { kind: 'boolean' },
      default: false,
      later: true,
      doc: "Whether each row of W and its update together has a trained length m, at first that of W (DoRA, arXiv 2402.09353). It comes before the base's own bias and before other parts there; no gradient goes through the norm.",
    },
    on_prompts: {
      type: { kind: 'boolean' },
      default: false,
      doc: 'Whether the keys and values of prompts get the update too. The released V2 code leaves them out.',
    },
    ...common,
  },
  parameters: (part) => part.sites.flatMap((site) => factors(part, site)),
  merge: {
    can: true,
    changes: 'weight',
    product: (it, part, site, values) => {
      if (isDora(part)) foldDora(it, part, site, values);
    },
    after: (it, part, site, values) => {
      if (!isDora(part)) addUpdate(it, part, site, values);
    },
  },
  hides: () => ({ factor: 'b', hidden: 'a' }),
  describe: (part) =>
    `rank ${textOf(part.fields['rank'])}, alpha ${textOf(part.fields['alpha'])}${isDora(part) ? ', DoRA' : ''}`,
  hooks: {
    product: (g, part, site, x, y) => {
      if (!isDora(part)) return y;
      const at = `${part.name}.${site.name}`;
      const attrs = { scale: loraFactor(part) };
      const [low, b, m] = [g.parameter(`${at}.a`), g.parameter(`${at}.b`), g.parameter(`${at}.m`)];
      const inverse = g.inverseNorms(g.parameter(site.parameter), b, low, site.output, attrs);
      return g.mulScale(update(g, part, site, x, y), g.mulScale(m, inverse));
    },
    after: (g, part, site, x, y) => (isDora(part) ? y : update(g, part, site, x, y)),
    onPrompts: (part) => part.fields['on_prompts'] === true,
  },
};

const isDora = (part: Part): boolean => part.fields['dora'] === true;

/** y + (alpha / rank) B A x. */
function update(g: Builder, part: Part, site: Site, x: Tensor, y: Tensor): Tensor {
  const at = `${part.name}.${site.name}`;
  const thin = g.linear(x, g.parameter(`${at}.a`), axis(numberOf(part.fields['rank'])));
  return g.add(g.linear(thin, g.parameter(`${at}.b`), site.output, loraFactor(part)), y);
}

const addUpdate: Fold = (it, part, site, values) => {
  const at = `${part.name}.${site.name}`;
  addProduct(it, values(`${at}.b`), values(`${at}.a`), loraFactor(part));
};

/** The norms are of the base's own weight with this update, whatever other parts made of it. */
const foldDora: Fold = (it, part, site, values) => {
  const own = { weight: Float64Array.from(values(site.parameter)), bias: it.bias };
  addUpdate(own, part, site, values);
  addUpdate(it, part, site, values);
  const m = values(`${part.name}.${site.name}.m`);
  const factors = rowNorms(own).map((norm, row) => (norm === 0 ? 0 : (m[row] ?? NaN) / norm));
  const columns = it.weight.length / it.bias.length;
  for (let i = 0; i < it.weight.length; i++) it.weight[i]! *= factors[Math.floor(i / columns)]!;
};

function factors(part: Part, site: Site): Parameter[] {
  const rank = axis(numberOf(part.fields['rank']));
  // A linear layer's usual start, kaiming_uniform(a = sqrt 5), comes to a bound of 1 / sqrt(inputs).
  const uniform: Init = { kind: 'uniform', bound: 1 / Math.sqrt(logical(site.input)) };
  return [
    parameterOf(part, site, 'a', [rank, site.input], uniform),
    parameterOf(part, site, 'b', [site.output, rank], constant(0)),
    ...(isDora(part)
      ? [parameterOf(part, site, 'm', [site.output], { kind: 'norms', of: site.parameter })]
      : []),
  ];
}
