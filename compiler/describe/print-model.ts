/** The Model as text: stable and complete, for `--emit model` and for reviewing what a change of the compiler does. */
import { printRope } from '../families/rotary.ts';
import { printLayers } from '../model/layers.ts';
import { printExact } from '../model/values.ts';
import type { Model, Parameter, Part } from '../model/model.ts';

/** One line a fact; parameters of parts only, since the base's follow from its dimensions. */
export function printModel(model: Model): string {
  const { base } = model;
  const lines = [
    `model ${model.name}`,
    `base ${base.name} ${base.family} layers ${base.layers} dim ${base.dim} heads ${base.heads}/${base.kvHeads} x ${base.headDim} ` +
      `ffn ${base.ffn} vocab ${base.vocab} context ${base.context} eps ${base.normEps} rope ${printRope(base.rope)}` +
      (base.tied ? ' tied' : '') +
      (base.store ? ` store ${base.store}` : '') +
      (base.biases ? ` biases ${base.biases.join(' ')}` : '') +
      (base.window ? ` window ${base.window.tokens} in ${printLayers(base.window.layers)}` : '') +
      (base.scoreDim === undefined ? '' : ` scores over ${base.scoreDim}`) +
      (base.scoreCap === undefined ? '' : ` capped at ${base.scoreCap}`) +
      (base.logitCap === undefined ? '' : ` logits capped at ${base.logitCap}`) +
      (base.unrotated ? ` unrotated ${printLayers(base.unrotated)}` : ''),
    ...model.parts.map(printPart),
    ...model.parameters.filter((p) => p.owner !== 'base' || p.rate !== 1).map(printParameter),
    ...Object.entries(model.groups).map(([name, names]) => `group ${name} = ${names.length} parameters`),
    ...model.tasks.map(
      (t) =>
        `task ${t.name} on ${t.data} trains ${t.trains.length} of ${t.groups.join(' + ')} ${printExact(t.fields)}`,
    ),
    ...model.data.map((d) => `data ${d.name} = ${d.format} ${d.paths.join(' ')}`),
    ...model.experts.map((expert) => `expert ${JSON.stringify({ ...expert, span: undefined })}`),
    ...model.recipes.map((recipe) => `recipe ${JSON.stringify({ ...recipe, span: undefined })}`),
  ];
  return `${lines.join('\n')}\n`;
}

function printPart(part: Part): string {
  const place = part.input
    ? ' on input'
    : part.layers.length > 0
      ? ` on layers ${printLayers(part.layers)}`
      : '';
  const sites = part.sites.length > 0 ? ` on ${part.sites.length} sites` : '';
  const source = part.source === null ? '' : ` from ${part.source}`;
  return `part ${part.kind} ${part.name}${place}${sites}${source} ${printExact(part.fields)}`;
}

function printParameter(p: Parameter): string {
  const axes = p.axes.map((a) => (a.groups === 1 ? `${a.size}` : `${a.groups}*${a.size}`)).join(', ');
  const flags = `${p.decay ? ' decay' : ''}${p.rate === 1 ? '' : ` rate ${p.rate}`}`;
  return `parameter ${p.name} [${p.shape.join(', ')}] axes [${axes}] ${JSON.stringify(p.init)}${flags}`;
}
