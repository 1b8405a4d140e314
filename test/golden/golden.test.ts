/** The recorded results of the official code, case by case, where they are at hand. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openCase } from '../../runtime/golden/case.ts';
import { runCase } from '../../runtime/golden/run.ts';
import { withDevice } from '../compiler/sessions.ts';
import { shared, withShared } from '../shared.ts';

const t = suite('golden cases');

/** What each case with a text adapter must have been compared on. */
const FIGURES = ['loss', 'logits', 'outputs', 'tokens'];

/** Cases without a language model: the encoder alone. */
const VISION = new Set(['G']);

/** Those of the first release by name, so that none goes missing, and whatever else the folder has. */
const known = ['A', 'B', 'B0', 'C', 'C2', 'J_gqa'];
const found =
  shared === null
    ? []
    : readdirSync(join(shared, 'golden')).filter((name) =>
        existsSync(join(shared ?? '', 'golden', name, 'config.json')),
      );

for (const name of [...new Set([...known, ...found])].sort())
  withShared(t, `case ${name}`, (folder) =>
    withDevice(async (device) => {
      const report = await runCase(device, await openCase(name, join(folder, 'golden', name)));
      assert.equal(report.failures, []);
      const compared = [...report.worst.keys()];
      for (const figure of VISION.has(name) ? ['outputs'] : FIGURES)
        assert.ok((compared as string[]).includes(figure), `${figure} was compared`);
    }),
  );

t.run();
