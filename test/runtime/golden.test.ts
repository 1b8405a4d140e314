/** The recorded results of the official code, case by case, where they are at hand. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openCase } from '../../runtime/cli/golden/case.ts';
import { runCase } from '../../runtime/cli/golden/run.ts';
import { withDevice } from '../compiler/sessions.ts';
import { withShared } from '../shared.ts';

const t = suite('golden cases');

/** What each case with a text adapter must have been compared on. */
const FIGURES = ['loss', 'logits', 'outputs', 'tokens'];

for (const name of ['A', 'B', 'B0', 'C', 'C2', 'J_gqa'])
  withShared(t, `case ${name}`, (folder) =>
    withDevice(async (device) => {
      const report = await runCase(device, await openCase(name, join(folder, 'golden', name)));
      assert.ok(report, 'a spec expresses the case');
      assert.equal(report?.failures, []);
      const compared = [...(report?.worst.keys() ?? [])];
      for (const figure of FIGURES)
        assert.ok((compared as string[]).includes(figure), `${figure} was compared`);
    }),
  );

t.run();
