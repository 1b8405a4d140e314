/** `graft merge`: folds trained parts into the base, exactly, and writes a base that runs without them. */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { mib } from '../device/buffers.ts';
import { nodeHost } from '../hosts/node.ts';
import { InputError } from '../input-error.ts';
import { mergeAdapter, requireMergeable } from '../merge/merge.ts';
import { loadModel } from '../project/spec.ts';
import { type Command, EXIT, positiveNumber, UsageError } from './command.ts';
import { adapterOptions, checkOptions, specOptions, specUsage } from './spec-arguments.ts';

const dtypes = { f32: 'F32', f16: 'F16', bf16: 'BF16' } as const;
type Stored = (typeof dtypes)[keyof typeof dtypes];

const options = {
  ...adapterOptions,
  out: { type: 'string' },
  dtype: { type: 'string', default: 'f32' },
  'max-loss': { type: 'string', default: '0.1' },
  ...specOptions,
} as const;

export const command: Command = {
  name: 'merge',
  summary: 'fold trained parts into the base where they can be',
  usage: `usage: graft merge SPEC[:ADAPTER] --adapter FILE [--allow-changes] --out FILE.safetensors [--dtype f32|f16|bf16]
                   [--max-loss SHARE]

  Writes the base with the parts in its weights, named as in the base's own file, and FILE.adapter, which declares it.
  Parts that are no weights (prompts, prefixes, what looks at images) are refused, each with its reason.

  --adapter FILE   trained parameters (adapter.safetensors of a run, or an official checkpoint as safetensors)
  --allow-changes  also where attributes (alpha, order of parts, ...) were others when it was trained
  --out FILE       a new file
  --dtype TYPE     how numbers are stored; default f32. f16 and bf16 round them
  --max-loss SHARE with f16 and bf16: refuse where more than this share of the adapter's change is rounded away;
                   default 0.1, and 1 refuses nothing
${specUsage}`,
  async run(argv) {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
    const [argument] = positionals;
    if (positionals.length !== 1 || argument === undefined) throw new UsageError('give one spec');
    const { adapter, out } = values;
    if (adapter === undefined) throw new UsageError('give the trained parameters with --adapter FILE');
    if (!out?.endsWith('.safetensors')) throw new UsageError('--out takes a FILE.safetensors to write');
    const dtype = dtypeNamed(values.dtype);
    const maxLoss = positiveNumber(values['max-loss'], '--max-loss', 1);
    const model = loadModel(nodeHost, argument, checkOptions(values));
    requireMergeable(model);
    const spec = out.replace(/\.safetensors$/, '.adapter');
    for (const file of [out, spec])
      if (existsSync(file))
        throw new InputError(`${file} exists`, 'give another name with --out: nothing is overwritten');
    const allowChanges = values['allow-changes'];
    const merged = await mergeAdapter(
      { host: nodeHost, model },
      { adapter, allowChanges, out, spec, dtype, maxLoss },
    );
    console.log(`${out}: ${merged.tensors} tensors, ${dtype}, ${mib(merged.size)} MiB`);
    console.log(`${spec}: \`base ${merged.base}\`, and the adapter \`Merged\` that adds nothing to it`);
    for (const note of merged.notes) console.error(note);
    return EXIT.ok;
  },
};

function dtypeNamed(text: string): Stored {
  const found = Object.entries(dtypes).find(([name]) => name === text);
  if (found) return found[1];
  throw new UsageError(`--dtype takes ${Object.keys(dtypes).join(', ')}, not \`${text}\``);
}
