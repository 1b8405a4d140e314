/**
 * Frames: how threads are laid over the data. A kernel's body is written once against a frame's variables; the frame
 * brings the entry point and, for rows, the reductions, in the way the device likes.
 */
import { invariant } from '../../grammar/invariant.ts';
import type { Profile } from '../package/package.ts';
import type { Launch } from './kernel.ts';
import { type Plan, type Word, launch } from './text.ts';

/** WebGPU's limit on each extent of a grid. */
const EXTENT = 65535;
const THREADS = 64;
/** Items a thread takes on a software device: enough to outweigh the 0.15 us that starting eight threads costs there. */
const SOFTWARE_RUN = 16;
/** Threads that keep the cores of a software device evenly busy; below it runs get shorter. */
const SOFTWARE_THREADS = 512;

/** What an operation brings to a frame. */
export interface Body extends Pick<Plan, 'name' | 'slots'> {
  readonly uniforms?: Readonly<Record<string, Word>>;
  readonly code: string;
}

/**
 * Work items in runs: thread t takes items t * run + k * hop, k < reps. Software devices take short runs of neighbours
 * (loads do not coalesce there, and threads cost), GPUs one item a thread as long as the grid's limit allows.
 */
interface Runs {
  readonly threads: number;
  readonly run: number;
  readonly hop: number;
  readonly reps: number;
}

function layRuns(items: number, profile: Profile, most: number, least: number): Runs {
  const wanted =
    profile.device === 'software' ? Math.max(Math.ceil(items / SOFTWARE_RUN), Math.min(items, least)) : items;
  const threads = Math.max(1, Math.min(wanted, most));
  const reps = Math.ceil(items / threads);
  return profile.device === 'software'
    ? { threads, run: reps, hop: 1, reps }
    : { threads, run: 1, hop: threads, reps };
}

/** A map over `count` items; the code sees its item as `i`. `setup` runs once for each thread. */
export function mapItems(body: Body & { readonly setup?: string }, count: number, profile: Profile): Launch {
  const { threads, run, hop, reps } = layRuns(count, profile, EXTENT * THREADS, SOFTWARE_THREADS);
  return launch({
    name: body.name,
    slots: body.slots,
    uniforms: { count, run, hop, reps, ...body.uniforms },
    grid: [Math.ceil(threads / THREADS), 1, 1],
    code: `
@compute @workgroup_size(${THREADS})
fn main(@builtin(local_invocation_index) l: u32, @builtin(workgroup_id) wg: vec3u) {
  let first = (wg.x * ${THREADS}u + l) * u.run;
${indent(body.setup ?? '', 2)}
  for (var k = 0u; k < u.reps; k++) {
    let i = first + k * u.hop;
    if (i >= u.count) { break; }
${indent(body.code, 4)}
  }
}`,
  });
}

/**
 * A map over a matrix; the code sees `row` and `c`, and computes once for each thread what depends on the column alone
 * (`setup`): a thread goes down its column, so nothing is divided or loaded again for each number. `functions`: what
 * the code calls.
 */
export function mapColumns(
  body: Body & { readonly setup?: string; readonly functions?: string },
  rows: number,
  columns: number,
  profile: Profile,
): Launch {
  invariant(columns <= EXTENT * THREADS, `${body.name}: ${columns} columns`);
  const { threads, run, hop, reps } = layRuns(
    rows,
    profile,
    Math.floor((EXTENT * THREADS) / columns),
    Math.ceil(SOFTWARE_THREADS / columns),
  );
  return launch({
    name: body.name,
    slots: body.slots,
    uniforms: { rows, columns, lanes: threads * columns, run, hop, reps, ...body.uniforms },
    grid: [Math.ceil((threads * columns) / THREADS), 1, 1],
    code: `${body.functions ?? ''}
@compute @workgroup_size(${THREADS})
fn main(@builtin(local_invocation_index) l: u32, @builtin(workgroup_id) wg: vec3u) {
  let thread = wg.x * ${THREADS}u + l;
  if (thread >= u.lanes) { return; }
  let c = thread % u.columns;
  let first = thread / u.columns * u.run;
${indent(body.setup ?? '', 2)}
  for (var k = 0u; k < u.reps; k++) {
    let row = first + k * u.hop;
    if (row >= u.rows) { break; }
${indent(body.code, 4)}
  }
}`,
  });
}

/** How many threads share a row and how they add up: a thread alone, a subgroup, or threads over shared memory. */
export interface Team {
  readonly kind: 'thread' | 'subgroup' | 'workgroup';
  readonly lanes: number;
  readonly rows: number;
  /** Whether neighbouring threads stand on neighbouring rows, not on neighbouring lanes of a row. */
  readonly across: boolean;
}

/** The team for `rows` rows of `width` items (mostly of four numbers). */
export function pickTeam(rows: number, width: number, profile: Profile): Team {
  const { device, subgroup } = profile;
  if (device === 'gpu') {
    const lanes = width <= 16 ? 16 : width <= 512 ? 64 : 256;
    const threads = Math.max(THREADS, lanes);
    return { kind: 'workgroup', lanes, rows: threads / lanes, across: false };
  }
  if (subgroup === null || prefersThreads(rows, width, subgroup))
    return { kind: 'thread', lanes: 1, rows: 32, across: false };
  return { kind: 'subgroup', lanes: subgroup, rows: Math.max(1, 32 / subgroup), across: false };
}

/**
 * A row to a thread wastes no lane on short rows and needs no reduction, and on a software device its loads cost no more
 * for being scattered. It needs enough rows to keep every core busy, and rows so short that the ones in flight stay cached.
 */
function prefersThreads(rows: number, width: number, subgroup: number): boolean {
  return width <= 128 && rows >= 16 * subgroup;
}

/**
 * A row to a team; the code sees `row` (it may lie past the end), `lane`, `LANES`, and calls rowSum, rowSum4, rowMax as
 * `rowSum(x, l)`: outside of branches, since every thread of a team must arrive there. `functions`: what else the code calls.
 */
export function mapRows(body: Body & { readonly functions?: string }, rows: number, team: Team): Launch {
  const { lanes, rows: perGroup, across } = team;
  const groups = Math.ceil(rows / perGroup);
  return launch({
    name: `${body.name}_${team.kind[0]}${lanes}${across ? 'x' : ''}`,
    slots: body.slots,
    uniforms: body.uniforms ?? {},
    features: team.kind === 'subgroup' ? ['subgroups'] : [],
    grid: [Math.min(groups, EXTENT), Math.ceil(groups / EXTENT), 1],
    code: `
const LANES = ${lanes}u;
${reductions(body.code, team)}${body.functions ? `\n${body.functions}` : ''}
@compute @workgroup_size(${lanes * perGroup})
fn main(@builtin(local_invocation_index) l: u32, @builtin(workgroup_id) wg: vec3u) {
  let row = (wg.y * ${EXTENT}u + wg.x) * ${perGroup}u + ${across ? `l % ${perGroup}u` : 'l / LANES'};
  let lane = ${across ? `l / ${perGroup}u` : 'l % LANES'};
${indent(body.code, 2)}
}`,
  });
}

const REDUCTIONS = [
  { name: 'rowSum', type: 'f32', builtin: 'subgroupAdd', combine: (a: string, b: string) => `${a} + ${b}` },
  {
    name: 'rowSum4',
    type: 'vec4f',
    builtin: 'subgroupAdd',
    combine: (a: string, b: string) => `${a} + ${b}`,
  },
  {
    name: 'rowMax',
    type: 'f32',
    builtin: 'subgroupMax',
    combine: (a: string, b: string) => `max(${a}, ${b})`,
  },
] as const;

function reductions(code: string, team: Team): string {
  const used = REDUCTIONS.filter(({ name }) => code.includes(`${name}(`));
  return used.map((r) => reduction(r, team)).join('\n');
}

/** Shared memory is read as a tree, because the size of a GPU's subgroups is not known ahead. */
function reduction(r: (typeof REDUCTIONS)[number], { kind, lanes, rows, across }: Team): string {
  const head = `fn ${r.name}(x: ${r.type}, l: u32) -> ${r.type}`;
  if (kind === 'thread') return `${head} { return x; }`;
  if (kind === 'subgroup') return `${head} { return ${r.builtin}(x); }`;
  const [step, lane, home] = across
    ? [rows, `l / ${rows}u`, `l % ${rows}u`]
    : [1, 'l % LANES', 'l / LANES * LANES'];
  const tree = `${r.name}Tree`;
  return `
var<workgroup> ${tree}: array<${r.type}, ${lanes * rows}>;
${head} {
  ${tree}[l] = x;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half >>= 1u) {
    if (${lane} < half) { ${tree}[l] = ${r.combine(`${tree}[l]`, `${tree}[l + half * ${step}u]`)}; }
    workgroupBarrier();
  }
  let result = ${tree}[${home}];
  workgroupBarrier();
  return result;
}`.trim();
}

function indent(text: string, by: number): string {
  return text
    .trim()
    .split('\n')
    .map((line) => (line ? ' '.repeat(by) + line : line))
    .join('\n');
}
