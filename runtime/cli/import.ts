/** `graft import`: an adapter of PEFT as a spec and an adapter file that continue it. */
import { existsSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { checkSpec } from '../../compiler/check/check.ts';
import { sitesOf } from '../../compiler/families/sites.ts';
import type { Host } from '../../compiler/host.ts';
import { attributesOf } from '../../compiler/kinds/attributes.ts';
import type { Base, Model } from '../../compiler/model/model.ts';
import { invariant } from '../../grammar/invariant.ts';
import { openPeft, peftFolder } from '../files/peft.ts';
import { writeSafetensors, writeText } from '../files/write.ts';
import { nodeHost } from '../hosts/node.ts';
import { nodeSpecs } from '../hosts/node-specs.ts';
import { cachedModel } from '../hub/cached.ts';
import { InputError } from '../input-error.ts';
import { importPeft } from '../peft/import/import.ts';
import type { ImportedPart } from '../peft/import/part.ts';
import { specText } from '../peft/import/spec.ts';
import { openProject } from '../project/spec.ts';
import { adapterMetadata } from '../weights/adapter.ts';
import { elements } from '../weights/source.ts';
import { type Command, EXIT, UsageError } from './command.ts';
import { formatText } from './formatting.ts';
import { chooseBase } from './init/bases.ts';

const options = {
  'spec-out': { type: 'string' },
  out: { type: 'string' },
  base: { type: 'string' },
} as const;

export const command: Command = {
  name: 'import',
  summary: 'make a spec and an adapter file of an adapter that PEFT saved',
  usage: `usage: graft import FOLDER --spec-out FILE.adapter [--out FILE.safetensors] [--base BASE]

  FOLDER holds adapter_config.json and adapter_model.safetensors. The spec has a part for whatever the adapter changes, a
  task that goes on training it, and a recipe; \`graft generate\`, \`train --from\`, \`merge\` and \`export\` take both files.
  A setting or a tensor that is not understood is refused by its name.

  --spec-out FILE  the spec, a new file
  --out FILE       the trained parts, a new file [FILE of --spec-out, as .safetensors]
  --base BASE      the model it was trained on: a folder with a config.json, or FILE.adapter:NAME [what adapter_config.json
                   names, where that is a folder or a model in the hub's cache]`,
  async run(argv) {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
    const [argument] = positionals;
    if (positionals.length !== 1 || argument === undefined) throw new UsageError('give one folder');
    const spec = values['spec-out'];
    if (!spec?.endsWith('.adapter')) throw new UsageError('--spec-out takes a FILE.adapter to write');
    const out = values.out ?? spec.replace(/\.adapter$/, '.safetensors');
    if (!out.endsWith('.safetensors')) throw new UsageError('--out takes a FILE.safetensors to write');
    for (const file of [spec, out])
      if (existsSync(file))
        throw new InputError(`${file} exists`, 'give another name: nothing is overwritten');
    const folder = peftFolder(argument);
    if (folder === null)
      throw new InputError(
        `${resolve(argument)} has no adapter_config.json`,
        'give the folder that PEFT saved; an official checkpoint of LLaMA-Adapter needs no import: its spec is in specs/, and --adapter takes the file',
      );
    await importFolder(folder, { spec, out, base: values.base });
    return EXIT.ok;
  },
};

interface Files {
  readonly spec: string;
  readonly out: string;
  readonly base: string | undefined;
}

async function importFolder(folder: string, { spec, out, base: wanted }: Files): Promise<void> {
  const { config, source } = await openPeft(folder);
  try {
    const chosen = await chooseBase(wanted ?? baseNamed(config.base), spec);
    const base = baseIn(spec, chosen);
    const parts = await importPeft(config, source, base, sitesOf(base));
    const text = await formatText(specText({ base: chosen, from: basename(resolve(folder)), config, parts }));
    const host = { ...nodeHost, specs: withFile(spec, text) };
    const { model, spec: of } = await openProject(host, spec);
    requireWhole(model, parts);
    const tensors = parts.flatMap((part) => part.tensors);
    const attributes = attributesOf(model);
    await writeSafetensors(out, tensors, adapterMetadata({ ...model, attributes }, '', of.hash));
    try {
      await writeText(spec, text);
    } catch (error) {
      // Both files or none: a second attempt would be refused because of the first one's.
      await rm(out);
      throw error;
    }
    const numbers = tensors.reduce((sum, { shape }) => sum + elements(shape), 0);
    console.log(`${spec}: ${config.type} on \`${base.name}\` as ${parts.map(describe).join(', ')}`);
    console.log(`${out}: ${tensors.length} tensors, ${numbers} numbers`);
  } finally {
    await source.close();
  }
}

const describe = ({ kind, name }: ImportedPart): string => `\`${name}\` (${kind})`;

/** The base that adapter_config.json names: a folder, or a model that was fetched. */
function baseNamed(name: string | null): string {
  if (name !== null && existsSync(name) && statSync(name).isDirectory()) return name;
  const cached = name === null ? null : cachedModel(name);
  if (cached !== null) return cached;
  throw new InputError(
    name === null
      ? 'adapter_config.json does not say which model it is of'
      : `adapter_config.json is of \`${name}\`, which is neither a folder nor in the hub's cache`,
    'give the model with --base FOLDER or --base FILE.adapter:NAME, or fetch it with `graft pull`',
  );
}

/** The host of specs with one file that is not written yet. */
const withFile = (path: string, text: string): Host => ({
  ...nodeSpecs,
  readFile: (file) => (file === path ? text : nodeSpecs.readFile(file)),
});

/** The base as the spec will declare or import it. */
function baseIn(spec: string, { name, text }: { readonly name: string; readonly text: string }): Base {
  const { bases } = checkSpec(spec, withFile(spec, `${text}\n`));
  const base = bases[name];
  if (base) return base;
  throw new InputError(`the base \`${name}\` cannot be read`, 'see what `graft check` says of its file');
}

/** The spec's parts and their numbers have to fit one another: this is what was written, not what the user wrote. */
function requireWhole({ parameters, tasks }: Model, parts: readonly ImportedPart[]): void {
  const shapes = new Map(parameters.map(({ name, shape }) => [name, elements(shape)]));
  const trained = new Set(tasks.flatMap(({ trains }) => trains));
  for (const { name, shape } of parts.flatMap(({ tensors }) => tensors)) {
    invariant(
      shapes.get(name) === elements(shape),
      `${name} of [${shape.join(', ')}] has no place in the spec`,
    );
    invariant(trained.delete(name), `${name} is trained by no task of the spec`);
  }
  invariant(trained.size === 0, `the spec trains ${[...trained].join(', ')}, which have no numbers`);
}
