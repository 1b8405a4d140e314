/** `graft export`: trained parts in the files of other programs. */
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { PEFT_CONFIG, PEFT_WEIGHTS } from '../files/peft.ts';
import { writeSafetensors, writeText } from '../files/write.ts';
import { nodeHost } from '../hosts/node.ts';
import { InputError } from '../input-error.ts';
import { exportPeft } from '../peft/export/export.ts';
import { type HostedModel, loadModel } from '../project/spec.ts';
import { readTrained } from '../project/trained.ts';
import { exportAdapter } from '../weights/adapter.ts';
import { type OfficialFormat, officialFormats } from '../weights/llama-adapter.ts';
import { type Command, EXIT, UsageError } from './command.ts';
import { adapterOptions, checkOptions, specOptions, specUsage } from './spec-arguments.ts';

const options = {
  ...adapterOptions,
  format: { type: 'string' },
  family: { type: 'string' },
  'base-name': { type: 'string' },
  out: { type: 'string' },
  ...specOptions,
} as const;

const FORMATS = ['peft', 'official'];

export const command: Command = {
  name: 'export',
  summary: 'write trained parts as PEFT or LLaMA-Adapter keeps them',
  usage: `usage: graft export SPEC[:ADAPTER] --adapter FILE [--allow-changes] --format peft --out FOLDER [--base-name NAME]
       graft export SPEC[:ADAPTER] --adapter FILE [--allow-changes] --format official --family FAMILY --out FILE.safetensors

  A part that a format has no place for is refused by its name, with the reason.

  --adapter FILE   trained parameters (adapter.safetensors of a run)
  --allow-changes  also where attributes (alpha, order of parts, ...) were others when it was trained
  --format FORMAT  peft: adapter_config.json and adapter_model.safetensors; official: a checkpoint of OpenGVLab/LLaMA-Adapter
  --family FAMILY  of an official checkpoint: ${officialFormats.join(', ')}
  --base-name NAME what base_model_name_or_path says: a name on the hub or a folder [the folder of the base's weights]
  --out PATH       a new folder or file
${specUsage}`,
  async run(argv) {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
    const [argument] = positionals;
    if (positionals.length !== 1 || argument === undefined) throw new UsageError('give one spec');
    const { adapter, format, out } = values;
    if (adapter === undefined) throw new UsageError('give the trained parameters with --adapter FILE');
    if (format === undefined || !FORMATS.includes(format))
      throw new UsageError(`--format is one of ${FORMATS.join(', ')}`);
    if (out === undefined) throw new UsageError('say where to write with --out');
    const family = format === 'official' ? familyNamed(values.family) : null;
    if (family !== null && !out.endsWith('.safetensors'))
      throw new UsageError('--out takes a FILE.safetensors to write');
    if (existsSync(out)) throw new InputError(`${out} exists`, 'give another name: nothing is overwritten');
    const hosted = { host: nodeHost, model: loadModel(nodeHost, argument, checkOptions(values)) };
    const trained = await readTrained(adapter, hosted, { allowChanges: values['allow-changes'] });
    if (family === null) await writePeft(hosted, trained, out, values['base-name']);
    else await writeOfficial(hosted, trained, out, family);
    return EXIT.ok;
  },
};

function familyNamed(text: string | undefined): OfficialFormat {
  const found = officialFormats.find((name) => name === text);
  if (found) return found;
  throw new UsageError(`--family is one of ${officialFormats.join(', ')}`);
}

type Trained = ReadonlyMap<string, Float32Array>;

async function writePeft(
  { model }: HostedModel,
  trained: Trained,
  out: string,
  baseName: string | undefined,
): Promise<void> {
  const { config, tensors } = exportPeft(model, trained, baseName ?? folderOf(model.base.weights));
  mkdirSync(out, { recursive: true });
  // PEFT looks for `format` where it reads safetensors with transformers.
  await writeSafetensors(join(out, PEFT_WEIGHTS), tensors, { format: 'pt' });
  await writeText(join(out, PEFT_CONFIG), `${JSON.stringify(config, null, 2)}\n`);
  console.log(`${out}: ${String(config['peft_type'])}, ${tensors.length} tensors`);
}

/** The folder that transformers would load the base from; null when the base names none. */
function folderOf(weights: string | undefined): string | null {
  if (weights === undefined) return null;
  const isFolder = existsSync(weights) && statSync(weights).isDirectory();
  return resolve(isFolder ? weights : dirname(weights));
}

async function writeOfficial(
  { model }: HostedModel,
  trained: Trained,
  out: string,
  family: OfficialFormat,
): Promise<void> {
  const tensors = exportAdapter(trained, model, family);
  await writeSafetensors(out, tensors);
  console.log(`${out}: ${family}, ${tensors.length} tensors`);
}
