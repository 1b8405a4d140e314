/**
 * How long an editor waits: `node --import tsx test/service/bench.ts [ROUNDS]`. A spec of 500 lines is edited again and again, and
 * after each edit one question is asked of the language service; the last line asks all of them after one edit.
 *
 * On a busy machine the clock counts the waiting for a core as well, so where the system tells it, the time that the
 * thread was on a core is shown too.
 */
import { readFileSync } from 'node:fs';
import { memoryHost } from '../../compiler/host.ts';
import { complete } from '../../compiler/service/completion.ts';
import { diagnose } from '../../compiler/service/diagnostics.ts';
import { quickFixes } from '../../compiler/service/fixes.ts';
import { folds } from '../../compiler/service/folding.ts';
import { highlights } from '../../compiler/service/highlights.ts';
import { hints } from '../../compiler/service/hints.ts';
import { hover } from '../../compiler/service/hover.ts';
import { references } from '../../compiler/service/references.ts';
import { outline } from '../../compiler/service/symbols.ts';
import { createWorkspace, type Workspace } from '../../compiler/service/workspace.ts';
import { bases } from './marks.ts';

const PATH = 'long.adapter';
const LINES = 500;

/** Part of a long spec: an experiment with images, its sweep, and two adapters that start from it. */
const experiment = (i: number): string => `
param late${i}  = last 31 in layers   // where the adaption prompt sits
param early${i} = first 1 in layers   // where the image enters

/// LLaMA-Adapter V2, number ${i}.
adapter V${i} on llama7b {
  prompt   words  on layers[late${i}]       { length = 10  gate = tanh(init: 0, per: head) }
  bias     biases on every linear in layers
  scale    scales on every linear in layers { side = output }
  unfreeze norms  on every norm

  encoder  vision { model = clip("openai/clip-vit-large-patch14")  take = tokens }
  project  visual from vision { kind = linear  length = 20 }
  prompt   image  on layers[early${i}] from visual { gate = tanh(init: 0, per: head) }

  group seeing  = visual + image
  group writing = words + norms + biases + scales

  task caption  on pairs${i}        trains seeing  { ask = "Describe the image:" }
  task instruct on instructions${i} trains writing { template = alpaca }
}

data pairs${i}        = image_text("captions.jsonl")
data instructions${i} = alpaca("alpaca.json")

recipe joint${i} for V${i} {
  mix       = alternate(caption: 1, instruct: 1)
  optimizer = adamw(lr: 5e-3, betas: [0.9, 0.95], weight_decay: 2%)
  schedule  = cosine(warmup: 2 epochs)
  epochs = 5  batch = 32
}

sweep fusion${i} over V${i} with joint${i} {
  early${i} = [none, first 1, first 2, first 4, 0..7 by 2, last 8]
  late${i}  = [last 8, last 16, last 31]
  where early${i} & late${i} == none
  measure = [loss, parameters]
}

adapter Released${i} extends V${i} {
  override image  on layers[late${i}] { fuse = add(words) }
  override visual { length = 10 }
  override biases on layers.attention.{wq, wo} + layers.feed_forward.{w1, w2, w3}
  drop scales
}

adapter Late${i} extends V${i} {
  override image  on layers[late${i}] { fuse = add(words) }
  override visual { length = 10 }
}
`;

const spec = ['import "bases.adapter"', ...Array.from({ length: 10 }, (_, i) => experiment(i))].join('\n');
if (spec.split('\n').length < LINES) throw new Error(`the spec has ${spec.split('\n').length} lines only`);

/** Somebody types into the length of a prompt in the middle: digits come and go, so that no two texts are alike. */
const edited = (round: number): string => spec.replace('length = 10  gate', `length = ${10 + round}  gate`);

const word = spec.indexOf('words', spec.length / 2);
const questions: Readonly<Record<string, (w: Workspace) => unknown>> = {
  diagnostics: (w) => diagnose(w, PATH),
  hover: (w) => hover(w, PATH, word),
  completion: (w) => complete(w, PATH, word),
  references: (w) => references(w, PATH, word),
  'quick fixes': (w) => quickFixes(w, PATH, { start: word, end: word }),
  outline: (w) => outline(w, PATH),
  'inlay hints': (w) => hints(w, PATH),
  'semantic tokens': (w) => highlights(w, PATH),
  folding: (w) => folds(w, PATH),
};

/** Milliseconds this thread has been on a core, where Linux tells it. */
function onCore(): number | null {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
  } catch {
    return null;
  }
}

interface Times {
  readonly clock: number;
  readonly core: number | null;
}

function measure(rounds: number, ask: (w: Workspace) => unknown): Times[] {
  const files = { 'bases.adapter': bases, [PATH]: spec };
  const { resolve } = memoryHost(files);
  let text = spec;
  const workspace = createWorkspace(
    { resolve, readFile: (path) => (path === PATH ? text : (memoryHost(files).readFile(path) ?? null)) },
    () => Object.keys(files),
  );
  return Array.from({ length: rounds }, (_, round) => {
    text = edited(round);
    const [start, core] = [performance.now(), onCore()];
    ask(workspace);
    const spent = onCore();
    return { clock: performance.now() - start, core: core === null || spent === null ? null : spent - core };
  });
}

const rounds = Number(process.argv[2] ?? 60);
const lines = spec.split('\n').length;
const adapters = spec.match(/^adapter/gm)?.length ?? 0;
console.log(
  `a spec of ${lines} lines and ${adapters} adapters on llama7b, ${rounds} edits each; milliseconds after an edit`,
);
console.log(`${''.padEnd(16)}   clock: median, 95%, worst       on a core: median, 95%, worst`);
for (const [name, ask] of [
  ...Object.entries(questions),
  ['all of them', (w: Workspace) => Object.values(questions).forEach((question) => question(w))] as const,
]) {
  // The first edits find nothing compiled yet.
  const times = measure(rounds + 10, ask).slice(10);
  const cores = times.map((t) => t.core).filter((n) => n !== null);
  console.log(
    `${name.padEnd(16)} ${summary(times.map((t) => t.clock))}${cores.length === 0 ? '' : `   ${summary(cores)}`}`,
  );
}

function summary(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return [at(0.5), at(0.95), at(1)].map((n) => n.toFixed(1).padStart(9)).join('');
}
