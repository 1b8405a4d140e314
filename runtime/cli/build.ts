/** `graft build SPEC[:ADAPTER]`: compiles a spec into a package, or prints a stage of the way. */
import { parseArgs } from 'node:util';
import { compile, type Compiled, type CompileOptions, printStage, stages } from '../../compiler/compile.ts';
import { hasImage } from '../../compiler/kinds/images.ts';
import { printModel } from '../../compiler/describe/print-model.ts';
import type { Profile } from '../../compiler/package/package.ts';
import type { LineOf } from '../../compiler/graph/print.ts';
import { parse } from '../../grammar/parser.ts';
import { positionOf } from '../../grammar/source.ts';
import { openDevice } from '../device/device.ts';
import { InputError } from '../input-error.ts';
import { mib } from '../device/buffers.ts';
import { requireFit } from '../device/fit.ts';
import { writePackage } from '../files/package.ts';
import { type Command, EXIT, UsageError, wholeNumber } from './command.ts';
import { capacityOf } from '../project/session.ts';
import { pickRecipe } from '../project/recipe.ts';
import { openProject, type Project } from '../project/spec.ts';
import { requireWork } from '../project/work.ts';
import { nodeHost } from '../hosts/node.ts';
import { nodeSpecs } from '../hosts/node-specs.ts';
import { checkOptions, specOptions, specUsage } from './spec-arguments.ts';
import { splitSpec } from '../project/spec-name.ts';

/** What `--emit` prints: the spec's tree, the Model, and what each pass of the compiler makes of it. */
const STAGES: readonly string[] = ['ast', 'model', ...stages];
/** As a recipe's `batch`. */
const MOST_SEQUENCES = 2 ** 16;

const options = {
  out: { type: 'string' },
  emit: { type: 'string' },
  ...specOptions,
  recipe: { type: 'string' },
  batch: { type: 'string' },
  tokens: { type: 'string' },
  profile: { type: 'string' },
} as const;

export const command: Command = {
  name: 'build',
  summary: 'compile a spec into a package of kernels',
  usage: `usage: graft build SPEC[:ADAPTER] [--out FOLDER] [--emit STAGE] [--recipe NAME]
                   [--batch N] [--tokens N] [--profile gpu|plain|software:LANES]

  --out FOLDER   where the package goes; default build/ADAPTER
  --emit STAGE   print a stage instead of writing the package:
                 ${STAGES.slice(0, 8).join(', ')},
                 ${STAGES.slice(8).join(', ')}
  --batch N      sequences at once; default the recipe's
  --tokens N     words of a sequence; default the task's max_tokens, at most the context
  --profile P    the class of device; default this machine's
${specUsage}`,
  async run(argv) {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
    const [spec] = positionals;
    if (positionals.length !== 1 || spec === undefined) throw new UsageError('give one spec');
    const emit = stageOf(values.emit);
    if (emit === 'ast') {
      console.log(printTree(spec));
      return EXIT.ok;
    }
    const project = await openProject(nodeHost, spec, checkOptions(values));
    if (emit === 'model') {
      console.log(printModel(project.model));
      return EXIT.ok;
    }
    const device = values.profile === undefined ? await openDevice() : null;
    const profile = device?.profile ?? profileOf(values.profile ?? '');
    const wanted = optionsOf(project, profile, values);
    if (emit) {
      console.log(printStage(project.model, wanted, emit, lineFinder()));
      return EXIT.ok;
    }
    requireWork(project.model, wanted);
    const compiled = compile(project.model, wanted);
    // A package for another device may be larger than this one holds.
    if (device) requireFit(compiled.manifest, capacityOf(nodeHost, device));
    const folder = values.out ?? `build/${project.model.name}`;
    await writePackage(folder, compiled.manifest, compiled.sources);
    console.log(describe(folder, compiled));
    return EXIT.ok;
  },
};

function stageOf(text: string | undefined): string | null {
  if (text === undefined) return null;
  const stage = STAGES.find((name) => name === text);
  if (stage) return stage;
  throw new UsageError(`--emit takes one of ${STAGES.join(', ')}, not \`${text}\``);
}

/** The tree of the spec's own file as JSON, mistakes and all. */
function printTree(argument: string): string {
  const { path } = splitSpec(argument);
  const text = nodeSpecs.readFile(path);
  if (text === null) throw new InputError(`cannot read ${path}`, 'check the path of the spec');
  return JSON.stringify(parse({ file: path, text }).file, null, 2);
}

/** `gpu`, `plain` (a CPU without subgroups) or `software:8`. */
function profileOf(text: string): Profile {
  if (text === 'gpu') return { device: 'gpu', subgroup: null };
  if (text === 'plain') return { device: 'software', subgroup: null };
  const lanes = Number(/^software:(\d+)$/.exec(text)?.[1]);
  if (lanes === 4 || lanes === 8) return { device: 'software', subgroup: lanes };
  throw new UsageError(`--profile takes gpu, plain, software:4 or software:8, not \`${text}\``);
}

function optionsOf(
  { model, spec }: Project,
  profile: Profile,
  values: {
    readonly recipe?: string | undefined;
    readonly batch?: string | undefined;
    readonly tokens?: string | undefined;
  },
): CompileOptions {
  const recipe = model.recipes.length > 0 ? pickRecipe(model, values.recipe) : null;
  const batch =
    values.batch === undefined
      ? (recipe?.batch ?? 1)
      : wholeNumber(values.batch, '--batch', 1, MOST_SEQUENCES);
  const words = values.tokens === undefined ? undefined : wholeNumber(values.tokens, '--tokens', 1);
  const wordsOf = (limit: unknown) =>
    Math.min(words ?? (typeof limit === 'number' ? limit : model.base.context), model.base.context);
  const tokens = Object.fromEntries(
    model.tasks.map((task) => [task.name, wordsOf(task.fields['max_tokens'])]),
  );
  const longest = Math.max(
    1,
    ...Object.values(tokens),
    ...(model.tasks.length === 0 ? [wordsOf(undefined)] : []),
  );
  const generation = { batch, tokens: longest, context: model.base.context, image: hasImage(model) };
  return { profile, spec, generation, ...(recipe ? { recipe, training: { batch, tokens } } : {}) };
}

/** `specs/v2.adapter:12`, for places in files; what came from `--set` has its name alone. */
function lineFinder(): LineOf {
  const texts = new Map<string, string | null>();
  return ({ file, start }) => {
    const known = texts.get(file);
    const text = known === undefined ? nodeSpecs.readFile(file) : known;
    texts.set(file, text);
    return text === null ? file : `${file}:${positionOf(text, start).line + 1}`;
  };
}

function describe(folder: string, { manifest }: Compiled): string {
  const buffers = Object.entries(manifest.buffers).map(
    ([name, size]) => `  ${name.padEnd(12)} ${mib(size)} MiB`,
  );
  const programs = manifest.programs.map(
    (p) => `  ${p.name.padEnd(20)} batch ${p.batch}, ${p.tokens} tokens, ${p.dispatches.length} dispatches`,
  );
  return [
    `${folder}: ${manifest.kernels.length} kernels for ${manifest.profile.device}${manifest.profile.subgroup ? ` with subgroups of ${manifest.profile.subgroup}` : ''}`,
    ...programs,
    'buffers',
    ...buffers,
  ].join('\n');
}
