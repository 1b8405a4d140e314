/** A whole project in a folder: a base with random weights, its tokenizer, a few instructions and a spec of two tasks. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Base } from '../../compiler/model/model.ts';
import { baseParameters } from '../../compiler/families/sites.ts';
import { writeSafetensors } from '../../runtime/files/write.ts';
import { createRandom } from '../../runtime/random.ts';
import { baseMetadata } from '../../runtime/weights/base.ts';

/** 259 pieces are special or bytes; the other five are written below. */
export const base: Base = {
  name: 'small',
  family: 'llama',
  layers: 2,
  dim: 16,
  heads: 2,
  kvHeads: 1,
  headDim: 8,
  ffn: 20,
  vocab: 264,
  context: 48,
  normEps: 1e-5,
  rope: { style: 'interleaved', theta: 10000 },
  tied: false,
};

export const baseText = `base small {
  layers = 2  dim = 16  heads = 2  kv_heads = 1  ffn = 20  vocab = 264  context = 48
  norm_eps = 1e-5  rope = interleaved(theta: 10000)
  weights = "base.safetensors"  tokenizer = "tokenizer.bin"
}
`;

export const spec = `import "base.adapter"

param length = 3

adapter Pair on small {
  prompt words on layers[last 1] { length = length }
  lora   low   on layers.attention.{wq, wv} { rank = 2 }
  task one on some trains words { template = "{instruction}={output}" }
  task two on some trains low   { template = "{instruction}={output}" }
}

data some = instructions("some.jsonl")

recipe short for Pair {
  mix = alternate(one: 1, two: 2)
  schedule = cosine(warmup: 4 steps)
  steps = 12  batch = 2  seed = 3
}
`;

/** Makes the project; returns the path of its spec. */
export async function makeProject(folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const random = createRandom('project');
  const tensors = baseParameters(base).map(({ name, shape }) => {
    const spread = name.endsWith('norm.weight') ? 0 : 1 / Math.sqrt(shape.at(-1) ?? 1);
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () =>
      spread === 0 ? 1 : spread * random.normal(),
    );
    return { name, shape, values };
  });
  await writeSafetensors(join(folder, 'base.safetensors'), tensors, baseMetadata(base));
  writeFileSync(join(folder, 'tokenizer.bin'), tokenizerFile([' ', 'a', 'b', 'c', '=']));
  writeFileSync(join(folder, 'base.adapter'), baseText);
  writeFileSync(
    join(folder, 'some.jsonl'),
    Array.from(
      { length: 9 },
      (_, i) =>
        `${JSON.stringify({ instruction: `ab${'c'.repeat(i % 4)}`, output: `c${'ba'.repeat(i % 3)}` })}\n`,
    ).join(''),
  );
  writeFileSync(join(folder, 'spec.adapter'), spec);
  return join(folder, 'spec.adapter');
}

/** llama2.c's format: longest piece, then score, length and bytes of each. */
function tokenizerFile(pieces: readonly string[]): Uint8Array {
  const bytes = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`);
  const all = ['<unk>', '\n<s>\n', '\n</s>\n', ...bytes, ...pieces].map((piece) =>
    new TextEncoder().encode(piece),
  );
  const parts = all.map((piece) => {
    const head = new DataView(new ArrayBuffer(8));
    head.setInt32(4, piece.length, true);
    return [new Uint8Array(head.buffer), piece];
  });
  const longest = new DataView(new ArrayBuffer(4));
  longest.setInt32(0, Math.max(...all.map((piece) => piece.length)), true);
  return Buffer.concat([new Uint8Array(longest.buffer), ...parts.flat()]);
}
