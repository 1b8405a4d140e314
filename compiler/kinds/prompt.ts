/** Adaption prompts: tokens that only attention sees, behind a gate; or tokens put before the words. */
import { axis, type Base, type Parameter, type Part } from '../model/model.ts';
import { isCall, numberOf } from '../model/values.ts';
import {
  anyOf,
  choice,
  common,
  constant,
  initField,
  initOf,
  lengthType,
  normal,
  orNone,
  parameterOf,
  textOf,
} from './fields.ts';
import { constantFactor, gateFields, gateOf } from './gate.ts';
import type { Kind, Problem, Unchecked } from './kind.ts';
import { outputWidth } from './project.ts';

/** The prompt whose tokens this one is added to, or null when it stands alone. */
function addedTo(part: Part): string | null {
  const fuse = part.fields['fuse'];
  return isCall(fuse) && fuse.call === 'add' ? textOf(fuse.args['to']) : null;
}

export const prompt: Kind = {
  name: 'prompt',
  doc: 'Tokens that the words of the selected layers attend to, in a softmax of their own behind a gate.',
  formula: 'o = softmax(q k^T / sqrt(h)) v + f(g) softmax(q (Wk A)^T / sqrt(h)) (Wv A), f = tanh or identity',
  source: 'LLaMA-Adapter, arXiv 2303.16199, section 3.2; the gate of `alpaca_finetuning_v1/llama/model.py`',
  selects: 'layers-or-input',
  reads: { kinds: ['project'], required: false },
  lacks: ({ length }) => (length === null ? 'length' : null),
  check: (part, source, base) => (source === null ? [] : promptProblems(part, source, base)),
  inOneLayer: 'unusual',
  inherits: (source) => ({ length: source.fields['length'] ?? null }),
  fields: {
    length: {
      type: orNone(lengthType),
      default: null,
      doc: 'Tokens in each layer. With `from`, the projector says it.',
    },
    gate: {
      type: anyOf({ kind: 'call', calls: { tanh: gateFields, raw: gateFields } }, choice('none')),
      default: { call: 'tanh', args: { init: 0, per: 'head' } },
      doc: 'What the prompt is multiplied by: tanh(g), g itself (`raw`), or nothing (`none`).',
    },
    init: initField(normal(1), 'the tokens'),
    fuse: {
      type: anyOf(choice('separate'), {
        kind: 'call',
        calls: { add: { to: { type: { kind: 'name', of: 'part' }, doc: 'The prompt it is added to.' } } },
      }),
      default: 'separate',
      doc: "On its own, or added to another prompt's tokens, one to one or one token to all; the other's gate then holds for both.",
    },
    key_norm: {
      type: { kind: 'boolean' },
      default: true,
      later: true,
      doc: "Whether the keys of its tokens pass the base's norm of keys, as those of the words do; a base without such a norm (LLaMA) makes no difference.",
    },
    ...common,
  },
  parameters: (part, base) =>
    part.input ? tokens(part, base, null) : part.layers.flatMap((layer) => inLayer(part, base, layer)),
  describe: (part) => {
    const gate = gateOf(part);
    const target = addedTo(part);
    if (part.input) return 'in front of the words';
    if (target !== null) return `added to ${target}`;
    if (gate === null) return 'no gate';
    return gate.per === 'const' ? `gate fixed at ${gate.init}` : `${gate.function} gate per ${gate.per}`;
  },
  hides: (part) => (gateOf(part)?.init === 0 ? { factor: 'gate', hidden: 'prompt' } : null),
  gates: (part) => {
    const gate = gateOf(part);
    if (part.input || addedTo(part) !== null || gate === null || gate.per === 'const') return null;
    return {
      parameters: part.layers.map((layer) => `${part.name}.layers.${layer}.gate`),
      opening: gate.function === 'raw' ? Math.abs : (g) => Math.abs(Math.tanh(g)),
    };
  },
  merge: {
    can: false,
    reason:
      'the words attend to its tokens, in a softmax behind a gate or in front of them, and no weight of a base does that',
  },
  hooks: {
    attention: (g, part, layer, project, visual) => {
      // Tokens that are added to another prompt enter with that one.
      if (addedTo(part) !== null) return null;
      const at = `${part.name}.layers.${layer}`;
      const own = part.source === null ? g.vectors(`${at}.prompt`) : visual.own;
      if (own === null) return null;
      const tokens = visual.added ? g.addTable(visual.added, own) : own;
      const gate = gateOf(part);
      const trained = gate !== null && gate.per !== 'const';
      return {
        key: project('key', tokens),
        value: project('value', tokens),
        length: numberOf(part.fields['length']),
        batched: part.source !== null || visual.added !== null,
        softmax: 'separate',
        factor: gate?.factor ? g.parameter(`${at}.gate_factor`) : null,
        gate: {
          parameter: trained ? g.parameter(`${at}.gate`) : null,
          function: gate?.function ?? 'raw',
          per: gate?.per === 'layer' ? 'layer' : 'head',
          constant: constantFactor(gate),
        },
      };
    },
    prepend: (g, part, visual) => {
      const vectors = part.source === null && part.input ? g.vectors(`${part.name}.prompt`) : visual;
      if (!part.input || vectors === null) return null;
      return { vectors, length: numberOf(part.fields['length']), batched: part.source !== null };
    },
    prepends: (part, image) =>
      part.input && (part.source === null || image) ? numberOf(part.fields['length']) : 0,
    addedTo,
    projects: true,
    normsKeys: (part) => part.fields['key_norm'] !== false,
  },
};

/** A prompt's tokens go where words go. */
function promptProblems({ name }: Unchecked, source: Part, base: Base): Problem[] {
  const width = outputWidth(source, base);
  if (width === base.dim) return [];
  return [
    [
      'length',
      `\`${name}\` reads tokens of ${width} numbers, \`${base.name}\` takes ${base.dim}`,
      `take \`output\` of \`${source.name}\` away, or put a \`project\` after it`,
    ],
  ];
}

function inLayer(part: Part, base: Base, layer: number): Parameter[] {
  return [...tokens(part, base, { layer }), ...gate(part, base, layer)];
}

/** The tokens themselves; a prompt that reads a projector has none of its own. */
function tokens(part: Part, base: Base, where: { readonly layer: number } | null): Parameter[] {
  if (part.source !== null) return [];
  const axes = [axis(numberOf(part.fields['length'])), axis(base.dim)] as const;
  return [parameterOf(part, where, 'prompt', axes, initOf(part.fields['init']))];
}

/**
 * The gate's parameters. Their shape is that of the official checkpoints, which multiply gates with scores of [batch,
 * heads, 1, 1].
 */
function gate(part: Part, base: Base, layer: number): Parameter[] {
  const it = gateOf(part);
  if (it === null || it.per === 'const' || addedTo(part) !== null) return [];
  const shape = it.per === 'head' ? [1, base.heads, 1, 1] : [1];
  const axes = [axis(it.per === 'head' ? base.heads : 1)] as const;
  return [
    ...(it.factor ? [parameterOf(part, { layer }, 'gate_factor', [axis(1)], constant(1), [1, 1, 1, 1])] : []),
    parameterOf(part, { layer }, 'gate', axes, constant(it.init), shape),
  ];
}
