/** Golden cases whose numbers are other than usual, and cases that cannot be run: each fails with its reason. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { command } from '../../runtime/cli/golden.ts';
import { type GoldenCase, type GoldenTensor, openCase, type Tensors } from '../../runtime/golden/case.ts';
import { runCase } from '../../runtime/golden/run.ts';
import { InputError } from '../../runtime/input-error.ts';
import { runCommand } from '../cli/capture.ts';
import { withDevice } from '../compiler/sessions.ts';
import { withShared } from '../shared.ts';

const t = suite('variants of golden cases');

/** A tensor with more rows or columns, which are zero. */
function widened({ shape, values }: GoldenTensor, dimension: number, size: number): GoldenTensor {
  const [rows = 1, columns = 1] = shape;
  const grown = shape.map((old, i) => (i === dimension ? size : old));
  const width = shape.length > 1 ? (grown[1] ?? 1) : 1;
  const result = new Float32Array(grown.reduce((product, n) => product * n, 1));
  const old = shape.length > 1 ? columns : 1;
  for (let r = 0; r < rows; r++) result.set(values.subarray(r * old, (r + 1) * old), r * width);
  return { shape: grown, values: result };
}

/** Which dimension of a tensor is the width inside a block; null: none of it is. */
type Inside = (name: string) => 0 | 1 | null;

/** The same case with blocks that are wider inside. What is added is zero, and so are its gradients. */
function wider(golden: GoldenCase, factor: number, inside: Inside, config: object = {}): GoldenCase {
  const grow = (tensors: Tensors | null): Tensors | null =>
    tensors &&
    new Map(
      [...tensors].map(([name, tensor]) => {
        const dimension = inside(name);
        return [
          name,
          dimension === null ? tensor : widened(tensor, dimension, factor * (tensor.shape[dimension] ?? 0)),
        ];
      }),
    );
  return {
    ...golden,
    config: { ...golden.config, ...config },
    tensors: async (file) => {
      const tensors = await golden.tensors(file);
      return file.startsWith('outputs') ? tensors : grow(tensors);
    },
  };
}

const insideMlp =
  (block: RegExp, first: string, second: string): Inside =>
  (name) => {
    if (!block.test(name)) return null;
    if (name.includes(`.${first}.`)) return 0;
    return name.endsWith(`.${second}.weight`) ? 1 : null;
  };
const bridge: Inside = (name) =>
  /image_bind_f[13]_\d/.test(name) ? 0 : /image_bind_f2_\d/.test(name) ? 1 : null;

const widths: readonly (readonly [string, number, Inside, object])[] = [
  ['D_pre', 2, insideMlp(/visual_blocks/, 'fc1', 'fc2'), { v_mlp_ratio: 8 }],
  ['D_ft', 2, insideMlp(/resblocks/, 'c_fc', 'c_proj'), {}],
  ['G', 2, insideMlp(/resblocks/, 'c_fc', 'c_proj'), {}],
  ['H_pre', 2, bridge, {}],
];
for (const [name, factor, inside, config] of widths)
  withShared(t, `${name} with blocks ${factor} times as wide inside gives the same numbers`, (folder) =>
    withDevice(async (device) => {
      const golden = await openCase(name, join(folder, 'golden', name));
      const report = await runCase(device, wider(golden, factor, inside, config));
      assert.equal(report.failures, []);
      assert.ok(report.worst.has('outputs'));
    }),
  );

/** Runs a changed case and gives what was wrong with it. */
async function failureOf(
  folder: string,
  name: string,
  change: (golden: GoldenCase) => GoldenCase,
): Promise<string> {
  let said = '';
  await withDevice(async (device) => {
    try {
      await runCase(device, change(await openCase(name, join(folder, 'golden', name))));
    } catch (error) {
      assert.instance(error, InputError);
      said = (error as Error).message;
    }
  });
  return said;
}

const without =
  (file: string, tensor: string) =>
  (golden: GoldenCase): GoldenCase => ({
    ...golden,
    tensors: async (name) => {
      const tensors = await golden.tensors(name);
      return name === file && tensors ? new Map([...tensors].filter(([key]) => key !== tensor)) : tensors;
    },
  });
const configured =
  (config: object) =>
  (golden: GoldenCase): GoldenCase => ({ ...golden, config: { ...golden.config, ...config } });

const faults: readonly (readonly [string, string, (golden: GoldenCase) => GoldenCase, RegExp])[] = [
  [
    'a ratio that its tensors have not',
    'D_pre',
    configured({ v_mlp_ratio: 2 }),
    /fc1\.weight` is \[96, 24\].*\[48, 24\]/,
  ],
  ['no ratio', 'D_pre', configured({ v_mlp_ratio: undefined }), /no number as `v_mlp_ratio`/],
  [
    'one base tensor less',
    'A',
    without('weights', 'layers.1.attention.wk.weight'),
    /`layers\.1\.attention\.wk\.weight` \[32, 32\] is not in/,
  ],
  [
    'one bias less',
    'C',
    without('weights', 'layers.0.attention.wq_bias'),
    /`layers\.0\.attention\.wq_bias` \[64\] is not in/,
  ],
  ['no prompts', 'B', without('weights', 'adapter_query.weight'), /`adapter_query\.weight` .* is not in/],
  [
    'no prompts in its config, although it has some',
    'C',
    configured({ adapter_len: 0 }),
    /`adapter_query\.weight` is in the weights/,
  ],
  [
    'a tensor that no spec trains',
    'A',
    configured({ trainable: ['layers.0.moe.weight'] }),
    /`layers\.0\.moe\.weight` is trained/,
  ],
  ['another rule of decay', 'A', configured({ no_decay: [] }), /lets it decay/],
  ['no logits', 'A', without('outputs', 'logits'), /outputs\.safetensors has no tensor `logits`/],
  [
    'half of the scales and biases',
    'C',
    configured({ add_bias: false }),
    /`add_bias` false with `add_scale` true/,
  ],
  ['another method', 'A', configured({ family: 'hypernetwork' }), /family `hypernetwork`/],
];
for (const [what, name, change, message] of faults)
  withShared(t, `${name} with ${what} fails with the reason`, async (folder) => {
    assert.match(await failureOf(folder, name, change), message);
  });

withShared(t, 'a case that cannot be run does not keep the others from it', (folder) =>
  withDevice(async () => {
    const made = mkdtempSync(join(tmpdir(), 'graft-golden-'));
    try {
      for (const name of ['A', 'B', 'J_gqa'])
        cpSync(join(folder, 'golden', name), join(made, name), { recursive: true });
      const path = join(made, 'A', 'config.json');
      const config = JSON.parse(readFileSync(path, 'utf8')) as object;
      writeFileSync(path, JSON.stringify({ ...config, family: 'hypernetwork' }));
      writeFileSync(join(made, 'B', 'weights.safetensors'), 'no tensors');
      const { code, out } = await runCommand(command, [made]);
      const lines = out.trim().split('\n');
      assert.is(code, 1);
      assert.ok(
        lines.some((line) => line.startsWith('FAILED A ')),
        out,
      );
      assert.ok(
        lines.some((line) => line.startsWith('FAILED B ')),
        out,
      );
      assert.ok(
        lines.some((line) => /^ok {5}J_gqa/.test(line)),
        out,
      );
      assert.is(lines.at(-1), '1 passed, 2 failed');
      assert.not.match(out, /^\s+at /m, 'a mistake of the case has no stack');
    } finally {
      rmSync(made, { recursive: true });
    }
  }),
);

t.run();
