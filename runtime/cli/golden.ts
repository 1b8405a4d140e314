/** `graft golden DIR [CASE...]`: compares with the numbers of the official code. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openDevice } from '../device/device.ts';
import { InputError } from '../input-error.ts';
import { type Command, EXIT, UsageError } from './command.ts';
import { openCase } from '../golden/case.ts';
import { runCase } from '../golden/run.ts';

export const command: Command = {
  name: 'golden',
  summary: 'compare with the recorded reference results',
  usage: `usage: graft golden FOLDER [CASE...]

  FOLDER holds a folder for each case; without CASE all of them are run. A line a case: the worst difference of each
  kind. Exit code 1 when one is beyond its bound, or when no spec can express a case.`,
  async run(argv) {
    const [folder, ...wanted] = argv;
    if (folder === undefined || folder.startsWith('-')) throw new UsageError('give the folder of the cases');
    const cases = wanted.length > 0 ? wanted : findCases(folder);
    const device = await openDevice();
    let failed = 0;
    for (const name of cases) {
      const start = performance.now();
      const golden = await openCase(name, join(folder, name));
      const report = await runCase(device, golden);
      const failures = report
        ? report.failures
        : [`no spec expresses the family \`${golden.config.family}\` of this case yet`];
      if (failures.length > 0) failed++;
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      console.log(
        `${failures.length > 0 ? 'FAILED' : 'ok    '} ${name.padEnd(8)} ${report?.toString() ?? ''}  (${seconds} s)`,
      );
      for (const failure of failures) console.log(`         ${failure}`);
    }
    console.log(`${cases.length - failed} passed, ${failed} failed`);
    return failed === 0 ? EXIT.ok : EXIT.failed;
  },
};

function findCases(folder: string): string[] {
  if (!existsSync(folder))
    throw new InputError(`there is no folder ${folder}`, 'give the folder of the golden cases');
  const cases = readdirSync(folder).filter((name) => existsSync(join(folder, name, 'config.json')));
  if (cases.length === 0)
    throw new InputError(`${folder} holds no golden case`, 'a case is a folder with a config.json');
  return cases.sort();
}
