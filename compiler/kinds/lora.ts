/** A low-rank update beside a linear. */
import { axis, logical, type Init, type Parameter, type Part, type Site } from '../model/model.ts';
import { addProduct } from './affine.ts';
import { common, constant, count, number, numberOf, orNone, parameterOf, textOf } from './fields.ts';
import type { Kind } from './kind.ts';

/** What the update is multiplied by: alpha / rank, alpha / sqrt(rank) with `rslora`, or 1 when `alpha = none`. */
export function loraFactor(part: Part): number {
  const alpha = part.fields['alpha'] ?? null;
  if (alpha === null) return 1;
  const rank = numberOf(part.fields['rank']);
  return numberOf(alpha) / (part.fields['rslora'] === true ? Math.sqrt(rank) : rank);
}

export const lora: Kind = {
  name: 'lora',
  doc: 'Adds a trainable product of two thin matrices to each selected linear.',
  formula:
    'y = W x + (alpha / rank) B A x; alpha = none leaves the factor out, rslora = true makes it alpha / sqrt(rank)',
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
    after: (it, part, site, values) => {
      const at = `${part.name}.${site.name}`;
      addProduct(it, values(`${at}.b`), values(`${at}.a`), loraFactor(part));
    },
  },
  hides: () => ({ factor: 'b', hidden: 'a' }),
  describe: ({ fields }) => `rank ${textOf(fields['rank'])}, alpha ${textOf(fields['alpha'])}`,
  hooks: {
    after: (g, part, site, x, y) => {
      const thin = g.linear(
        x,
        g.parameter(`${part.name}.${site.name}.a`),
        axis(numberOf(part.fields['rank'])),
      );
      return g.add(
        g.linear(thin, g.parameter(`${part.name}.${site.name}.b`), site.output, loraFactor(part)),
        y,
      );
    },
    onPrompts: (part) => part.fields['on_prompts'] === true,
  },
};

function factors(part: Part, site: Site): Parameter[] {
  const rank = axis(numberOf(part.fields['rank']));
  // A linear layer's usual start, kaiming_uniform(a = sqrt 5), comes to a bound of 1 / sqrt(inputs).
  const uniform: Init = { kind: 'uniform', bound: 1 / Math.sqrt(logical(site.input)) };
  return [
    parameterOf(part, site, 'a', [rank, site.input], uniform),
    parameterOf(part, site, 'b', [site.output, rank], constant(0)),
  ];
}
