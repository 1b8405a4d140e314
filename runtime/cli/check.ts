/** `graft check SPEC...`: reports mistakes. */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { describeBase, describeOrigin } from '../../compiler/describe/base.ts';
import { diagnosticToJson } from '../../grammar/render.ts';
import type { Diagnostic } from '../../grammar/diagnostic.ts';
import { type Command, EXIT, UsageError } from './command.ts';
import { nodeSpecs } from '../hosts/node-specs.ts';
import { missingFiles } from '../project/missing-files.ts';
import { fixFile } from './fix.ts';
import { checkArgument, checkOptions, printDiagnostics, specOptions, specUsage } from './spec-arguments.ts';
import { splitSpec } from '../project/spec-name.ts';

/** What is said of specs without errors: warnings were shown before, and no word at all could mean anything. */
function summary(adapters: number, warnings: number): string {
  const checked =
    adapters === 0 ? 'no adapter is declared' : `${adapters} adapter${adapters === 1 ? '' : 's'} checked`;
  return `${warnings === 0 ? 'no mistakes' : 'no errors'}: ${checked}`;
}

export const command: Command = {
  name: 'check',
  summary: 'check a spec and report its mistakes',
  usage: `usage: graft check SPEC... [--fix [--dry-run]] [--format text|json] [--set NAME=VALUE]... [--base FILE.adapter:NAME]

  SPEC is a file, or - for standard input. Exit code 0: no errors (there may be warnings); 1: errors. Mistakes go to
  standard error; without errors, how many adapters were checked goes to standard output, and what was read of the
  models that bases are \`from\`. A file that the spec names
  and that is not there is a warning: checking needs none of them.

  --fix                    correct what has one obvious correction, and report the rest; imported files stay as they are
  --dry-run                with --fix: say what it would do, and change nothing
  --format json            one diagnostic a line on standard output; lines and characters count from 0
${specUsage}`,
  async run(argv) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        ...specOptions,
        format: { type: 'string', default: 'text' },
        fix: { type: 'boolean', default: false },
        'dry-run': { type: 'boolean', default: false },
      },
    });
    const { format } = values;
    if (format !== 'text' && format !== 'json')
      throw new UsageError(`--format is text or json, not '${format}'`);
    if (positionals.length === 0) throw new UsageError('give the spec to check');
    if (values['dry-run'] && !values.fix) throw new UsageError('--dry-run goes with --fix');
    const diagnostics: Diagnostic[] = [];
    let adapters = 0;
    const sources = new Map<string, string>();
    const read = new Set<string>();
    for (const argument of positionals) {
      const { path, name } = splitSpec(argument);
      if (values.fix) await fixFile(path, checkOptions(values), values['dry-run']);
      const checked = checkArgument(path, values);
      if (!checked.found) throw new UsageError(`cannot read ${path}`);
      const faulty = checked.diagnostics.some(({ severity }) => severity === 'error');
      if (!faulty && name !== undefined && !Object.hasOwn(checked.adapters, name))
        throw new UsageError(`${path} has no adapter '${name}'`);
      for (const d of [...checked.diagnostics, ...missingFiles(checked, nodeSpecs, existsSync)])
        diagnostics.push(d);
      for (const base of Object.values(checked.bases)) {
        const origin = describeOrigin(base);
        if (origin !== null) read.add(`${base.name} is ${origin}, ${describeBase(base)}`);
      }
      adapters += Object.keys(checked.adapters).length;
      for (const [file, text] of checked.sources) sources.set(file, text);
    }
    if (format === 'json') for (const d of diagnostics) console.log(diagnosticToJson(d, sources));
    else printDiagnostics(diagnostics, sources);
    if (diagnostics.some((d) => d.severity === 'error')) return EXIT.failed;
    if (format === 'text') for (const line of read) console.log(line);
    if (format === 'text') console.log(summary(adapters, diagnostics.length));
    return EXIT.ok;
  },
};
