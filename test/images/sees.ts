/** A project whose spec reads pictures: a tiny base, a tiny encoder, captions and instructions. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeProject } from '../cli/tiny-project.ts';
import { noise, png } from './make.ts';

export const spec = `import "base.adapter"

param eye = vit(resolution: 8, patch: 4, width: 8, layers: 1, heads: 2, output: 6)

adapter Sees on small {
  prompt  words on layers[last 1] { length = 3 }
  encoder vision { model = eye  normalise = half }
  project visual from vision { kind = linear  length = 4  norm = layer }
  prompt  image on layers[first 1] from visual

  group seeing  = visual + image
  group writing = words

  task caption  on pairs trains seeing  { template = "{instruction}={output}"  ask = "abc" }
  task instruct on some  trains writing { template = "{instruction}={output}" }
}

data pairs = image_text("pictures/captions.jsonl")
data some  = instructions("some.jsonl")

recipe turns for Sees {
  mix = alternate(caption: 1, instruct: 1)
  schedule = constant()
  steps = 8  batch = 2  seed = 3
}
recipe chances for Sees {
  mix = proportional(caption: 2, instruct: 1)
  steps = 6  batch = 2
}
recipe stages for Sees {
  mix = staged(caption: 1, instruct: 1)
  steps = 4  batch = 2
}

/// The encoder is trained as well.
adapter Whole extends Sees {
  override seeing = visual + image + vision
}
recipe whole for Whole {
  mix = alternate(caption: 1, instruct: 1)
  steps = 4  batch = 2
}
`;

/** Makes the project with five pictures; returns the path of its spec. */
export async function makePictureProject(folder: string): Promise<string> {
  await makeProject(folder);
  mkdirSync(join(folder, 'pictures'));
  const lines: string[] = [];
  for (let i = 0; i < 5; i++) {
    writeFileSync(join(folder, `pictures/${i}.png`), await png(noise(11 + i, 9, 0, 255, i)));
    lines.push(`${JSON.stringify({ image: `${i}.png`, caption: 'cab'.repeat(1 + (i % 3)) })}\n`);
  }
  writeFileSync(join(folder, 'pictures/captions.jsonl'), lines.join(''));
  const path = join(folder, 'sees.adapter');
  writeFileSync(path, spec);
  return path;
}
