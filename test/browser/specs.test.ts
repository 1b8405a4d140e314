/** A spec opened in a page: the same losses and the same answer as in Node, through the same runtime/project. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { microBatches } from '../../runtime/data/batches.ts';
import type { Device } from '../../runtime/device/device.ts';
import { generate, makeDecoder } from '../../runtime/generate.ts';
import { nodeHost } from '../../runtime/hosts/node.ts';
import { makePrompt } from '../../runtime/project/prompts.ts';
import { questionFor } from '../../runtime/project/questions.ts';
import { loadRecipeData } from '../../runtime/project/recipe-data.ts';
import { pickRecipe } from '../../runtime/project/recipe.ts';
import { openProject } from '../../runtime/project/spec.ts';
import { tokenizerOf } from '../../runtime/project/tokenizer.ts';
import { openTrainable } from '../../runtime/project/trainable.ts';
import { argmax } from '../../runtime/sample.ts';
import { trainStep } from '../../runtime/train/trainer.ts';
import { makeProject } from '../cli/tiny-project.ts';
import { skip } from '../skip.ts';
import { openTestDevice } from '../wgsl/harness.ts';
import { bundleRuntime } from './bundle.ts';
import { findBrowser } from './chromium.ts';
import { documented } from './documented.ts';
import { serve } from './server.ts';

const t = suite('specs in a page');

interface Task {
  readonly path: string;
  readonly task: string;
  readonly instruction: string;
  readonly steps: number;
}

interface Outcome {
  readonly losses: readonly number[];
  readonly answer: readonly number[];
}

/** What the documented page does, on Node's host and device. */
async function runInNode(device: Device, { path, task, instruction, steps }: Task): Promise<Outcome> {
  const project = await openProject(nodeHost, path);
  const recipe = pickRecipe(project.model, undefined);
  const tokenizer = await tokenizerOf(project);
  const data = await loadRecipeData(project, recipe, tokenizer);
  const question = questionFor(project.model, instruction, { task, image: false });
  const prompt = makePrompt(project, tokenizer, question, []).ids;
  const { session, trainer } = await openTrainable(device, project, recipe, data, {
    encoding: 'inline',
    more: { generation: { batch: 1, tokens: prompt.length, context: prompt.length + 8 } },
  });
  const batches = data.batches.get(task);
  if (!batches) throw new Error(`the recipe has no data of ${task}`);
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const some = microBatches(batches, recipe.accumulate, step);
    losses.push((await trainStep(trainer, task, some, recipe.optimizer.lr)).loss);
  }
  const [answer = []] = await generate(makeDecoder(session), [prompt], {
    maxTokens: 8,
    tokenizer,
    pick: argmax,
  });
  session.executor.destroy();
  return { losses, answer };
}

t('a page that opens the spec trains and answers as Node does', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'graft-page-specs-'));
  const files = new Map<string, string | Uint8Array>([['/empty.html', '']]);
  const server = await serve(files);
  try {
    const device = await openTestDevice();
    if (!device) return skip('no device');
    const found = await findBrowser(`${server.origin}/empty.html`);
    if (typeof found === 'string') {
      if (process.env['CI']) throw new Error(`no browser to test with: ${found}`);
      return skip(`no browser: ${found}`);
    }
    try {
      await makeProject(folder);
      for (const name of readdirSync(folder)) files.set(`/${name}`, readFileSync(join(folder, name)));
      files.set('/graft-specs.js', (await bundleRuntime('browser-specs.ts')).code);
      files.set('/page.js', documented('mjs'));
      const task: Task = { path: 'spec.adapter', task: 'two', instruction: 'abc', steps: 3 };
      const page = await found.browser.newPage({ locale: 'en-US' });
      await page.goto(`${server.origin}/empty.html`);
      const actual = await page.evaluate(
        async ([module, given]) => {
          const { run } = (await import(module)) as { run(task: Task): Promise<Outcome> };
          return run(given);
        },
        ['/page.js', task] as const,
      );
      const wanted = await runInNode(device, { ...task, path: join(folder, task.path) });
      assert.is(wanted.losses.length, 3);
      assert.not.equal(wanted.losses[0], wanted.losses[2], 'a step changes the loss');
      wanted.losses.forEach((loss, step) => {
        const error = Math.abs(loss - (actual.losses[step] ?? NaN));
        assert.ok(error < 1e-4, `loss of step ${step + 1}: ${actual.losses[step]}, in Node ${loss}`);
      });
      assert.ok(wanted.answer.length > 0);
      assert.equal(actual.answer, wanted.answer, 'greedy tokens');
      console.log(`  losses ${actual.losses.join(', ')}, in Node ${wanted.losses.join(', ')}`);
    } finally {
      await found.browser.close();
    }
  } finally {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

t('the engine loads no module of Node and nothing of the command line', async () => {
  const { firstBytes, modules } = await bundleRuntime('browser-specs.ts');
  assert.ok(modules.some((name) => name.endsWith('runtime/project/trainable.ts')));
  assert.equal(
    modules.filter((name) => name.startsWith('node:') || name.includes('runtime/cli/')),
    [],
  );
  // The compiler and its parser are most of them.
  assert.ok(firstBytes < 1_500_000, `${firstBytes} bytes`);
});

for (const file of ['plan', 'run', 'trial', 'report', 'csv', 'choose'])
  t(`sweep/${file}.ts loads no module of Node either`, async () => {
    const { modules } = await bundleRuntime(`sweep/${file}.ts`);
    assert.equal(
      modules.filter((name) => name.startsWith('node:') || /runtime\/(cli|hosts|sweep\/stores)\//.test(name)),
      [],
    );
  });

t.run();
