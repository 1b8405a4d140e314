/** `graft golden DIR [CASE...]`: compares with the numbers of the official code. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Device, openDevice } from '../device/device.ts';
import { InputError } from '../input-error.ts';
import { type Command, EXIT, UsageError } from './command.ts';
import { openCase } from '../golden/case.ts';
import type { Report } from '../golden/compare.ts';
import { hfCases, isHfSet } from '../golden/hf/cases.ts';
import { runHfCase } from '../golden/hf/run.ts';
import { runCase } from '../golden/run.ts';

export const command: Command = {
  name: 'golden',
  summary: 'compare with the recorded reference results',
  usage: `usage: graft golden FOLDER [CASE...]

  FOLDER holds a folder for each case of the official code; or a set of Hugging Face's own code, whose sub-folders are
  base, peft, tokenizers, chat and gguf: a CASE of it is called KIND/NAME, or KIND for all of one. Without CASE all are
  run. A line a case: the worst difference of each kind. A case that cannot be run, such as a model of a family that is
  not known, fails with the reason, and the next one is run. Exit code 1 when one failed.`,
  async run(argv) {
    const [folder, ...wanted] = argv;
    if (folder === undefined || folder.startsWith('-')) throw new UsageError('give the folder of the cases');
    const cases = isHfSet(folder) ? hfSet(folder, wanted) : officialSet(folder, wanted);
    const width = Math.max(8, ...cases.map(({ name }) => name.length));
    const device = await openDevice();
    let failed = 0;
    for (const { name, run } of cases) {
      const start = performance.now();
      const { figures, failures } = await compareCase(() => run(device));
      if (failures.length > 0) failed++;
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      console.log(
        `${failures.length > 0 ? 'FAILED' : 'ok    '} ${name.padEnd(width)} ${figures}  (${seconds} s)`,
      );
      for (const failure of failures) console.log(`         ${failure}`);
    }
    console.log(`${cases.length - failed} passed, ${failed} failed`);
    return failed === 0 ? EXIT.ok : EXIT.failed;
  },
};

interface Case {
  readonly name: string;
  readonly run: (device: Device) => Promise<Report>;
}

const hfSet = (folder: string, wanted: readonly string[]): Case[] =>
  hfCases(folder, wanted).map((it) => ({ name: it.name, run: (device) => runHfCase(device, it) }));

const officialSet = (folder: string, wanted: readonly string[]): Case[] =>
  (wanted.length > 0 ? wanted : findCases(folder)).map((name) => ({
    name,
    run: async (device) => runCase(device, await openCase(name, join(folder, name))),
  }));

/** What a case was compared on, and what is wrong with it. A case that cannot be run fails; it ends nothing. */
async function compareCase(
  run: () => Promise<Report>,
): Promise<{ readonly figures: string; readonly failures: readonly string[] }> {
  try {
    const report = await run();
    // A case without a figure was not compared.
    const nothing = report.worst.size === 0 ? ['nothing in it was compared'] : [];
    return { figures: report.toString(), failures: [...nothing, ...report.failures] };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // What is no mistake of the case is one of ours: its place is worth more than its words.
    const said = error instanceof InputError ? error.message : (error.stack ?? error.message);
    return { figures: 'not compared', failures: [said.replaceAll('\n', '\n         ')] };
  }
}

function findCases(folder: string): string[] {
  if (!existsSync(folder))
    throw new InputError(`there is no folder ${folder}`, 'give the folder of the golden cases');
  const cases = readdirSync(folder).filter((name) => existsSync(join(folder, name, 'config.json')));
  if (cases.length === 0)
    throw new InputError(`${folder} holds no golden case`, 'a case is a folder with a config.json');
  return cases.sort();
}
