/** Whatever is typed, the language service answers: specs with pieces missing, asked at random places. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { memoryHost } from '../../compiler/host.ts';
import { complete } from '../../compiler/service/completion.ts';
import { diagnose } from '../../compiler/service/diagnostics.ts';
import { quickFixes } from '../../compiler/service/fixes.ts';
import { folds } from '../../compiler/service/folding.ts';
import { highlights } from '../../compiler/service/highlights.ts';
import { hints } from '../../compiler/service/hints.ts';
import { hover } from '../../compiler/service/hover.ts';
import { definition, references } from '../../compiler/service/references.ts';
import { rename } from '../../compiler/service/rename.ts';
import { outline } from '../../compiler/service/symbols.ts';
import { createWorkspace } from '../../compiler/service/workspace.ts';

const t = suite('fuzz of the language service');
const folder = join(import.meta.dirname, '../../specs');
const specs = readdirSync(folder)
  .filter((f) => f.endsWith('.adapter') && f !== 'bases.adapter')
  .map((f) => readFileSync(join(folder, f), 'utf8'));
// Few layers, so that the time goes into asking and not into listing parameters.
const bases = ['llama7b', 'llama13b', 'llama65b']
  .map((n) => `base ${n} { layers = 3 dim = 8 heads = 2 ffn = 8 vocab = 8 }`)
  .join('\n');

/** A small deterministic generator, so that a failure can be found again by its number. */
function generator(seed: number): (below: number) => number {
  let state = seed * 2654435761 + 1;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A spec as it is while somebody types: a piece is missing, and the cursor stands there or anywhere. */
function draft(random: (below: number) => number): { text: string; offset: number } {
  const whole = specs[random(specs.length)] ?? '';
  const at = random(whole.length);
  const text = whole.slice(0, at) + whole.slice(at + random(random(2) === 0 ? 10 : 200));
  return { text, offset: random(2) === 0 ? at : random(text.length + 1) };
}

t('200 drafts', () => {
  for (let seed = 0; seed < 200; seed++) {
    const { text, offset } = draft(generator(seed));
    const workspace = createWorkspace(memoryHost({ 'x.adapter': text, 'bases.adapter': bases }), () => [
      'x.adapter',
    ]);
    const inside = (start: number, end: number): void =>
      assert.ok(0 <= start && start <= end && end <= text.length, `${start} to ${end} of ${text.length}`);
    try {
      const completion = complete(workspace, 'x.adapter', offset);
      if (completion !== null) inside(completion.span.start, completion.span.end);
      const shown = hover(workspace, 'x.adapter', offset);
      if (shown !== null) inside(shown.span.start, shown.span.end);
      definition(workspace, 'x.adapter', offset);
      references(workspace, 'x.adapter', offset);
      rename(workspace, 'x.adapter', offset, 'another');
      quickFixes(workspace, 'x.adapter', { start: 0, end: text.length });
      for (const s of outline(workspace, 'x.adapter')) inside(s.span.start, s.span.end);
      for (const h of hints(workspace, 'x.adapter')) inside(h.offset, h.offset);
      folds(workspace, 'x.adapter');
      let last = 0;
      for (const h of highlights(workspace, 'x.adapter')) {
        assert.ok(h.start >= last && h.length > 0, 'highlights overlap');
        last = h.start + h.length;
      }
      inside(last, last);
    } catch (e) {
      throw new Error(`draft ${seed}, offset ${offset}:\n${text}`, { cause: e });
    }
  }
});

/** One edit: a piece goes, and comes from somewhere else of the same text. */
function edit(text: string, random: (below: number) => number): string {
  const [from, at] = [random(text.length), random(text.length)];
  const piece = text.slice(from, from + random(30));
  return random(3) === 0
    ? text.slice(0, at) + text.slice(at + random(20))
    : text.slice(0, at) + piece + text.slice(at + random(2) * piece.length);
}

t('what is remembered of earlier texts changes no answer: 20 sessions of 20 edits', () => {
  for (let seed = 0; seed < 20; seed++) {
    const random = generator(seed);
    const files: Record<string, string> = {
      'bases.adapter': bases,
      'x.adapter': specs[seed % specs.length] ?? '',
    };
    // The host reads what the record holds now.
    const live = {
      ...memoryHost(files),
      readFile: (path: string) => (Object.hasOwn(files, path) ? (files[path] ?? null) : null),
    };
    const session = createWorkspace(live);
    for (let n = 0; n < 20; n++) {
      const text = files['x.adapter'] ?? '';
      // Half of the edits are taken back, so that what was remembered is of use again.
      const edited = edit(text, random);
      files['x.adapter'] = edited;
      const fresh = createWorkspace(memoryHost(files));
      assert.equal(
        diagnose(session, 'x.adapter'),
        diagnose(fresh, 'x.adapter'),
        `session ${seed}:\n${edited}`,
      );
      assert.equal(hints(session, 'x.adapter'), hints(fresh, 'x.adapter'), `session ${seed}:\n${edited}`);
      if (random(2) === 0) files['x.adapter'] = `// moved\n${text}`;
    }
  }
});

t.run();
