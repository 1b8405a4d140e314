/** `graft golden DIR [CASE...]`: compares with the numbers of the official code. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Device, openDevice } from '../device/device.ts';
import { InputError } from '../input-error.ts';
import { type Command, EXIT, UsageError } from './command.ts';
import { openCase } from '../golden/case.ts';
import { runCase } from '../golden/run.ts';

export const command: Command = {
  name: 'golden',
  summary: 'compare with the recorded reference results',
  usage: `usage: graft golden FOLDER [CASE...]

  FOLDER holds a folder for each case; without CASE all of them are run. A line a case: the worst difference of each
  kind. A case that no spec of the library can express fails with the reason, and the next one is run. Exit code 1 when
  one failed.`,
  async run(argv) {
    const [folder, ...wanted] = argv;
    if (folder === undefined || folder.startsWith('-')) throw new UsageError('give the folder of the cases');
    const cases = wanted.length > 0 ? wanted : findCases(folder);
    const device = await openDevice();
    let failed = 0;
    for (const name of cases) {
      const start = performance.now();
      const { figures, failures } = await compareCase(device, name, join(folder, name));
      if (failures.length > 0) failed++;
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      console.log(
        `${failures.length > 0 ? 'FAILED' : 'ok    '} ${name.padEnd(8)} ${figures}  (${seconds} s)`,
      );
      for (const failure of failures) console.log(`         ${failure}`);
    }
    console.log(`${cases.length - failed} passed, ${failed} failed`);
    return failed === 0 ? EXIT.ok : EXIT.failed;
  },
};

/** What a case was compared on, and what is wrong with it. A case that cannot be run fails; it ends nothing. */
async function compareCase(
  device: Device,
  name: string,
  folder: string,
): Promise<{ readonly figures: string; readonly failures: readonly string[] }> {
  try {
    const report = await runCase(device, await openCase(name, folder));
    return { figures: report.toString(), failures: report.failures };
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
