/** An adapter asked, merged, resumed or trained on under other attributes than those it was trained with: told, not used. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { withDevice } from '../compiler/sessions.ts';
import { graftEach, type Outcome } from './processes.ts';
import { baseText, makeProject } from './tiny-project.ts';

const t = suite('attributes of an adapter file');
const folder = mkdtempSync(join(tmpdir(), 'graft-attributes-'));
const at = (name: string): string => join(folder, name);
t.after(() => rmSync(folder, { recursive: true, force: true }));

const plain = {
  alpha: 'alpha = 4',
  gate: 'tanh',
  parts: ['lora low on SITES { rank = 2 ALPHA }', 'scale size on SITES {}'],
  template: '{instruction}={output}',
  base: baseText,
};

/** A spec that differs from the plain one in some of these. */
function writeSpec(name: string, change: Partial<typeof plain> = {}): string {
  const { alpha, gate, parts, template, base } = { ...plain, ...change };
  const lines = parts.map((part) =>
    part.replace('SITES', 'layers.attention.{wq, wv}').replace('ALPHA', alpha),
  );
  writeFileSync(
    at(name),
    `${base}
adapter Pair on small {
  prompt words on layers[last 1] { length = 3 gate = ${gate} }
  ${lines.join('\n  ')}
  task one on some trains words + low + size { template = "${template}" }
}
data some = instructions("some.jsonl")
recipe short for Pair { steps = 2 batch = 2 seed = 3 }
`,
  );
  return name;
}

/** Specs by what they change, and what has to be said of each. */
const changes: Readonly<Record<string, readonly [Partial<typeof plain>, RegExp]>> = {
  alpha: [{ alpha: 'alpha = 8' }, /`low`: alpha was 4 when it was trained, and is 8 here/],
  gate: [{ gate: 'raw' }, /`words`: gate was tanh when it was trained, and is raw here/],
  order: [
    { parts: plain.parts.toReversed() },
    /`low`: after was none when it was trained, and is \[size\] here/,
  ],
  eps: [
    { base: baseText.replace('1e-5', '1e-6') },
    /the base: normEps was 0.00001 when it was trained, and is 0.000001 here/,
  ],
  theta: [
    { base: baseText.replace('10000', '500000') },
    /the base: rope.theta was 10000 when it was trained, and is 500000 here/,
  ],
};
const template: Partial<typeof plain> = { template: 'Q {instruction} A {output}' };
const saysTemplate =
  /task `one`: template was \S+ when it was trained, and is "Q \{instruction\} A \{output\}" here/;

/** A copy of the adapter file with another header. */
function rewrite(name: string, edit: (header: Record<string, Record<string, string>>) => void): string {
  const bytes = readFileSync(at('run/adapter.safetensors'));
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString());
  edit(header);
  let json = JSON.stringify(header);
  while (json.length % 8 > 0) json += ' ';
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(BigInt(Buffer.byteLength(json)));
  writeFileSync(at(name), Buffer.concat([start, Buffer.from(json), bytes.subarray(8 + length)]));
  return name;
}

const ask = (spec: string, adapter: string, ...rest: string[]): string[] => [
  ...['generate', spec, '--adapter', adapter, '--max-tokens', '2', ...rest],
];
const adapter = 'run/adapter.safetensors';
const says = (outcome: Outcome | undefined, code: number, words: RegExp): void => {
  assert.is(outcome?.code, code, outcome?.err);
  assert.match(outcome?.err ?? '', words);
};

t.before(async () => {
  await makeProject(folder);
  await withDevice(async () => {
    const [run] = await graftEach([['train', writeSpec('spec.adapter'), '--out', 'run']], folder);
    assert.is(run?.code, 0, run?.err);
  });
});

t('asked, trained on and resumed under others, it says which', () =>
  withDevice(async () => {
    const names = Object.entries(changes).map(([name, [change]]) => writeSpec(`${name}.adapter`, change));
    const asked = await graftEach(
      names.map((spec) => ask(spec, adapter, '--ask', 'a')),
      folder,
    );
    const from = await graftEach(
      names.slice(0, 2).map((spec) => ['train', spec, '--from', adapter, '--out', `from-${spec}`]),
      folder,
    );
    const resumed = await graftEach(
      names.map((spec) => ['train', spec, '--resume', '--out', 'run']),
      folder,
    );
    Object.values(changes).forEach(([, words], i) => {
      says(asked[i], 1, words);
      says(asked[i], 1, /go on all the same with --allow-changes/);
      if (i < 2) says(from[i], 1, words);
      says(resumed[i], 1, words);
      says(resumed[i], 1, /the spec has changed/);
    });
  }),
);

t('a template matters where a task is asked, and is told where it is trained on', () =>
  withDevice(async () => {
    const spec = writeSpec('template.adapter', template);
    const [asked, plainly, from, resumed] = await graftEach(
      [
        ask(spec, adapter, '--ask', 'a'),
        ask(spec, adapter, '--prompt', 'a'),
        ['train', spec, '--from', adapter, '--out', 'from-template'],
        ['train', spec, '--resume', '--out', 'run'],
      ],
      folder,
    );
    says(asked, 1, saysTemplate);
    says(plainly, 0, /^$/);
    says(from, 0, saysTemplate);
    says(resumed, 1, saysTemplate);
  }),
);

t('--allow-changes goes on and says it all the same', () =>
  withDevice(async () => {
    const spec = writeSpec('alpha.adapter', changes['alpha']?.[0]);
    const [asked, from] = await graftEach(
      [
        ask(spec, adapter, '--ask', 'a', '--allow-changes'),
        ['train', spec, '--from', adapter, '--allow-changes', '--out', 'from-allowed'],
      ],
      folder,
    );
    says(asked, 0, /alpha was 4/);
    says(from, 0, /alpha was 4/);
  }),
);

t('--from says what is taken, what has no place, what is missing and that the base is another', () =>
  withDevice(async () => {
    const renamed = rewrite('renamed.safetensors', (header) => {
      header['lwo.layers.0.attention.wq.a'] = header['low.layers.0.attention.wq.a']!;
      delete header['low.layers.0.attention.wq.a'];
    });
    const other = rewrite('other.safetensors', (header) => {
      header['__metadata__']!['base_fingerprint'] = '0'.repeat(64);
    });
    const [some, refused, allowed, scratch] = await graftEach(
      [
        ['train', 'spec.adapter', '--from', renamed, '--out', 'from-renamed'],
        ['train', 'spec.adapter', '--from', other, '--out', 'from-other'],
        ['train', 'spec.adapter', '--from', other, '--out', 'from-other', '--allow-changes'],
        ['train', 'spec.adapter', '--from', other, '--out', 'from-scratch', '--scratch'],
      ],
      folder,
    );
    says(some, 0, /renamed\.safetensors: 13 parameters of `Pair` start as they are in it/);
    says(some, 0, /no place for lwo\.layers\.0\.attention\.wq\.a: left out/);
    says(some, 0, /has no low\.layers\.0\.attention\.wq\.a: they keep their start/);
    says(
      refused,
      1,
      /other\.safetensors was trained on another base than `small` \(fingerprint 000000000000/,
    );
    says(allowed, 0, /trained on another base/);
    says(scratch, 0, /has no tok_embeddings\.weight, /);
  }),
);

t('files without attributes, with damaged ones and with ones that are left out', () =>
  withDevice(async () => {
    const old = rewrite('old.safetensors', ({ __metadata__: metadata }) => delete metadata!['attributes']);
    const edit = (
      name: string,
      change: (attributes: { parts: Record<string, unknown> }) => unknown,
    ): string =>
      rewrite(name, ({ __metadata__: metadata }) => {
        metadata!['attributes'] = JSON.stringify(change(JSON.parse(metadata!['attributes']!)));
      });
    const files = [
      old,
      edit('list.safetensors', () => []),
      edit('newer.safetensors', (attributes) => ({ ...attributes, format: 2 })),
      edit('deep.safetensors', (attributes) => ({ ...attributes, parts: { low: { alpha: { of: 4 } } } })),
      edit('without.safetensors', (attributes) => {
        delete attributes.parts['low'];
        return attributes;
      }),
      edit('nothing.safetensors', (attributes) => ({ ...attributes, parts: {} })),
    ];
    const cut = readFileSync(at(adapter));
    writeFileSync(at('cut.safetensors'), cut.subarray(0, cut.length - 40));
    const outcomes = await graftEach(
      [...files, 'cut.safetensors'].map((file) => ask('spec.adapter', file, '--ask', 'a')),
      folder,
    );
    says(outcomes[0], 0, /old\.safetensors does not state the attributes it was trained with/);
    says(outcomes[1], 1, /list\.safetensors: metadata `attributes` is no JSON object/);
    says(outcomes[2], 1, /is of format 2, this version of Graft reads 1/);
    says(outcomes[3], 1, /has no `parts` with plain values/);
    says(outcomes[4], 1, /`low`: kind of part was not stated when it was trained, and is lora here/);
    says(outcomes[5], 1, /`words`: kind of part was not stated/);
    says(outcomes[6], 1, /cut\.safetensors.*byte/);
  }),
);

t.run();
