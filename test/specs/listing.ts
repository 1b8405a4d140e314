/** What becomes of an adapter when it is compiled, as text for `specs/compiled`: to be read as a diff. */
import { compile, type CompileOptions } from '../../compiler/compile.ts';
import { countModel } from '../../compiler/describe/counts.ts';
import { printLayers } from '../../compiler/model/layers.ts';
import type { Graph } from '../../compiler/graph/graph.ts';
import { hasImage } from '../../compiler/kinds/images.ts';
import type { Model } from '../../compiler/model/model.ts';
import type { Program } from '../../compiler/package/package.ts';
import { countFlops } from '../../compiler/ops/flops.ts';

/** Sizes are small, so that the largest base is listed in seconds: what is listed does not depend on them. */
export const SIZES = { batch: 1, tokens: 16, context: 32 } as const;

export function optionsFor(model: Model, profile: CompileOptions['profile']): CompileOptions {
  const { batch, tokens, context } = SIZES;
  const [recipe] = model.recipes;
  const training = { batch, tokens: Object.fromEntries(model.tasks.map(({ name }) => [name, tokens])) };
  const generation = { batch, tokens, context, image: hasImage(model) };
  return { profile, generation, ...(recipe ? { recipe, training } : {}) };
}

/** One adapter: counts, programs, memory, and the dispatches of one layer of each distinct shape. */
export function listing(model: Model): string {
  const compiled = compile(model, optionsFor(model, { device: 'gpu', subgroup: null }));
  const { manifest, graphs, plan } = compiled;
  const first = manifest.programs.findIndex(({ kind }) => kind === 'train');
  const shown = first < 0 ? manifest.programs.findIndex(({ kind }) => kind === 'prefill') : first;
  const buffers = Object.entries(manifest.buffers).map(
    ([name, size]) => `  ${name.padEnd(14)} ${bytes(size)}`,
  );
  return [
    `${model.name} on ${model.base.name}`,
    ...counts(model),
    '',
    `memory, of which activations share ${bytes(plan.sum).trim()}`,
    ...buffers,
    '',
    `programs, with ${manifest.kernels.length} kernels          dispatches   MFLOP`,
    ...manifest.programs.map((program, i) => programRow(program, graphs[i])),
    ...layersOf(
      manifest.programs[shown],
      graphs[shown],
      compiled.nodes[shown] ?? [],
      manifest.kernels,
      model.base.layers,
    ),
  ].join('\n');
}

const bytes = (n: number): string => `${n.toLocaleString('en-US').padStart(16)} bytes`;

function counts(model: Model): string[] {
  const { base, parts, trained } = countModel(model);
  const row = (name: string, n: number) => `  ${name.padEnd(14)} ${n.toLocaleString('en-US').padStart(16)}`;
  const added = parts.map(({ part, kind, numbers }) => row(`${part} (${kind})`, numbers));
  return ['numbers', row('base', base), ...added, row('trained', trained)];
}

function programRow({ name, dispatches }: Program, graph: Graph | undefined): string {
  const flops = Math.round((graph ? countFlops(graph) : 0) / 1e6).toLocaleString('en-US');
  return `  ${name.padEnd(32)} ${String(dispatches.length).padStart(7)} ${flops.padStart(11)}`;
}

/** The dispatches that most layers have, how other layers differ, and what lies outside of the layers. */
function layersOf(
  program: Program | undefined,
  graph: Graph | undefined,
  nodes: readonly number[],
  kernels: readonly { readonly name: string }[],
  layers: number,
): string[] {
  if (!program || !graph) return [];
  const rows = new Map<number | null, string[]>();
  program.dispatches.forEach(({ kernel, grid }, i) => {
    const node = graph.nodes[nodes[i] ?? -1];
    if (!node) return;
    const { site, layer, part } = node.origin;
    const place = layer === null ? site : site.slice(`layers.${layer}.`.length);
    const row = `  ${(kernels[kernel]?.name ?? '').padEnd(34)} ${grid.join('x').padEnd(11)} ${place}${part === null ? '' : ` ${part}`}`;
    rows.set(layer, [...(rows.get(layer) ?? []), row]);
  });
  const alike = new Map<string, number[]>();
  for (let layer = 0; layer < layers; layer++) {
    const text = (rows.get(layer) ?? []).join('\n');
    alike.set(text, [...(alike.get(text) ?? []), layer]);
  }
  const [most = ['', []], ...others] = [...alike].sort(([, a], [, b]) => b.length - a.length);
  return [
    '',
    `${program.name}, layers ${printLayers(most[1])}`,
    ...folded(most[0].split('\n')),
    ...others.flatMap(([text, which]) => [
      '',
      `${program.name}, layers ${printLayers(which)} instead`,
      ...instead(most[0].split('\n'), text.split('\n')),
    ]),
    '',
    `${program.name}, outside of the layers`,
    ...summed(rows.get(null) ?? [], 40),
  ];
}

/** What a layer has less and more than most layers have. */
function instead(most: readonly string[], own: readonly string[]): string[] {
  const signed = (sign: string, rows: readonly string[]) =>
    summed(rows, 12).map((row) => `${sign} ${row.trim()}`);
  return [...signed('-', without(most, own)), ...signed('+', without(own, most))];
}

/** Rows of one list that another has not, as often as it has them less. */
function without(rows: readonly string[], other: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const row of other) left.set(row, (left.get(row) ?? 0) + 1);
  return rows.filter((row) => {
    const count = left.get(row) ?? 0;
    left.set(row, count - 1);
    return count <= 0;
  });
}

/** Few rows are listed; many, such as those of a network of layers, are counted by kernel. */
function summed(rows: readonly string[], few: number): string[] {
  if (rows.length <= few) return folded(rows);
  const kernels = new Map<string, number>();
  for (const row of rows) {
    const [kernel = ''] = row.trim().split(' ');
    kernels.set(kernel, (kernels.get(kernel) ?? 0) + 1);
  }
  return [...kernels].map(([kernel, count]) => `  ${kernel.padEnd(34)} ${count} dispatches`);
}

/** Rows that repeat the one before are counted. */
function folded(rows: readonly string[]): string[] {
  const made: { row: string; times: number }[] = [];
  for (const row of rows) {
    const last = made.at(-1);
    if (last?.row === row) last.times++;
    else made.push({ row, times: 1 });
  }
  return made.map(({ row, times }) => (times === 1 ? row : `${row}  x ${times}`));
}
