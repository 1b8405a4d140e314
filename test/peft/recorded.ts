/** An adapter that PEFT trained, recorded step by step, put through our import, compiler and device. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { command as exportCommand } from '../../runtime/cli/export.ts';
import { command as importCommand } from '../../runtime/cli/import.ts';
import { openWeights } from '../../runtime/files.ts';
import { openPeft } from '../../runtime/files/peft.ts';
import { Report } from '../../runtime/golden/compare.ts';
import { type Adapter, compareAdapter } from '../../runtime/golden/hf/peft.ts';
import { nodeHost } from '../../runtime/hosts/node.ts';
import { loadModel } from '../../runtime/project/spec.ts';
import { importAdapter } from '../../runtime/weights/adapter.ts';
import { withDevice } from '../compiler/sessions.ts';
import { runCommand } from '../cli/capture.ts';

/** `graft import` of one of the case's folders, and what both files hold. */
async function imported(folder: string, base: string): Promise<Adapter> {
  const out = mkdtempSync(join(tmpdir(), 'graft-peft-'));
  try {
    const spec = join(out, 'imported.adapter');
    const { code, err } = await runCommand(importCommand, [folder, '--spec-out', spec, '--base', base]);
    assert.is(code, 0, err);
    const model = loadModel(nodeHost, spec);
    const source = await openWeights(join(out, 'imported.safetensors'));
    try {
      const { values, missing, unused } = await importAdapter(source, model);
      assert.equal([missing, unused], [[], []]);
      return { model, values };
    } finally {
      await source.close();
    }
  } finally {
    rmSync(out, { recursive: true });
  }
}

/** The folder of a case's base. */
const baseOf = (folder: string): string =>
  join(folder, (JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as { base: string }).base);

/** Imports a case by the command and compares all that the golden check compares. */
export const agrees = (folder: string): Promise<void> =>
  withDevice(async (device) => {
    const start = await imported(join(folder, 'adapter_start'), baseOf(folder));
    const { values: trained } = await imported(join(folder, 'adapter'), baseOf(folder));
    const report = new Report();
    await compareAdapter({ folder, start, trained, report, device });
    assert.equal(report.failures, []);
    const figures = ['logits', 'loss', 'gradients', 'step losses', 'adapter', 'tokens'];
    assert.equal([...report.worst.keys()], figures);
  });

/** Keys that say which modules are meant: in other words where they were an expression. */
const TARGETS = ['layers_to_transform', 'rank_pattern', 'target_modules'];

/** Imports a case, exports it again and compares both folders. */
export async function goesBack(folder: string): Promise<void> {
  const base = baseOf(folder);
  const [start, out] = [join(folder, 'adapter'), mkdtempSync(join(tmpdir(), 'graft-peft-'))];
  try {
    const spec = join(out, 'mine.adapter');
    const files = ['--spec-out', spec, '--base', base];
    const taken = await runCommand(importCommand, [start, ...files]);
    assert.is(taken.code, 0, taken.err);
    const theirs = join(out, 'theirs');
    const given = await runCommand(exportCommand, [
      ...[spec, '--adapter', join(out, 'mine.safetensors')],
      ...['--format', 'peft', '--out', theirs],
    ]);
    assert.is(given.code, 0, given.err);
    const [before, after] = [await contents(start), await contents(theirs)];
    assert.equal(after.tensors, before.tensors);
    for (const [key, value] of Object.entries(after.config))
      if (key === 'base_model_name_or_path') assert.is(value, base);
      else if (key === 'modules_to_save' && before.config['ensure_weight_tying'] === true)
        // PEFT adds the embedding once more, by its whole name.
        assert.equal(value, ['embed_tokens']);
      else if (key === 'layers_pattern') assert.is(value, null);
      else if (key in before.config && !(TARGETS.includes(key) && isExpression(before.config)))
        assert.equal(inOrder(value), inOrder(before.config[key]), key);
    const other = join(out, 'again.adapter');
    const again = await runCommand(importCommand, [theirs, '--spec-out', other]);
    assert.is(again.code, 0, again.err);
    const parts = (file: string) =>
      readFileSync(file, 'utf8').replaceAll(/^[^]*\nadapter|\n  task[^]*$/g, '');
    assert.is(parts(other), parts(spec));
  } finally {
    rmSync(out, { recursive: true });
  }
}

const isExpression = (config: Readonly<Record<string, unknown>>): boolean =>
  String(config['target_modules']).includes('*');

const inOrder = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(String).sort((a, b) => (a < b ? -1 : 1)) : value;

/** Both files of a folder as plain data. */
async function contents(folder: string) {
  const config = JSON.parse(readFileSync(join(folder, 'adapter_config.json'), 'utf8')) as Readonly<
    Record<string, unknown>
  >;
  const { source } = await openPeft(folder);
  const tensors: Record<string, readonly [readonly number[], readonly number[]]> = {};
  for (const { name, shape } of [...source.tensors.values()].sort((a, b) => (a.name < b.name ? -1 : 1)))
    tensors[name] = [shape, [...(await source.read(name))]];
  await source.close();
  return { config, tensors };
}
