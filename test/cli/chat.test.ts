/** `graft chat` with lines that are piped in. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { withDevice } from '../compiler/sessions.ts';
import { startGraft } from './processes.ts';
import { makeProject } from './tiny-project.ts';

const t = suite('chat command');
const folder = mkdtempSync(join(tmpdir(), 'graft-chat-'));
t.after(() => rmSync(folder, { recursive: true }));

t('turns, a reset, commands that are none, and a context that is full', () =>
  withDevice(async () => {
    const spec = await makeProject(folder);
    const child = startGraft(['chat', spec, '--max-tokens', '3', '--verbose'], folder);
    let [out, err] = ['', ''];
    child.stdout?.on('data', (chunk) => (out += String(chunk)));
    child.stderr?.on('data', (chunk) => (err += String(chunk)));
    const lines = ['ab', 'abc', '/image a.png', '/nothing', '/reset', 'ab', 'c'.repeat(60)];
    child.stdin?.end(`${lines.join('\n')}\n`);
    const [code] = (await once(child, 'close')) as [number | null];
    assert.is(code, 0, err);
    const read = [...err.matchAll(/^(\d+) tokens read, (\d+) in the conversation$/gm)].map(([, a, b]) => [
      Number(a),
      Number(b),
    ]);
    assert.is(read.length, 3, err);
    const [first, second, again] = read;
    // The begin, the space in front of a first word, `a`, `b`, and the `=` of the template.
    assert.equal(first?.[0], 5);
    assert.ok((second?.[0] ?? 99) <= 7 && (second?.[1] ?? 0) > (first?.[1] ?? 0) + 4, read.join(' | '));
    assert.equal(again, first);
    assert.match(err, /`Pair` looks at no image/);
    assert.match(err, /there is no \/nothing/);
    assert.match(err, /the context is full: with this turn the conversation has \d+ tokens[^]*\/reset/);
    const answers = out.split('\n');
    assert.is(answers[2], answers[0], 'the same answer after a reset');
  }),
);

t('an interrupt stops an answer and keeps the chat', () =>
  withDevice(async () => {
    const spec = await makeProject(folder);
    const file = join(folder, 'base.adapter');
    writeFileSync(file, readFileSync(file, 'utf8').replace('context = 48', 'context = 4096'));
    const child = startGraft(
      ['chat', spec, '--max-tokens', '3000', '--verbose', '--temperature', '2'],
      folder,
    );
    let [out, err] = ['', ''];
    child.stdout?.on('data', (chunk) => (out += String(chunk)));
    child.stderr?.on('data', (chunk) => (err += String(chunk)));
    const told = (): number => err.split('tokens read').length - 1;
    for (const line of ['ab', 'abc']) {
      const [before, answers] = [out.length, told()];
      child.stdin?.write(`${line}\n`);
      await until(() => out.length > before + 20);
      child.kill('SIGINT');
      await until(() => told() > answers);
    }
    child.stdin?.end();
    const [code] = (await once(child, 'close')) as [number | null];
    assert.is(code, 0, err);
    const counts = [...err.matchAll(/(\d+) in the conversation/g)].map(([, count]) => Number(count));
    assert.is(counts.length, 2, err);
    assert.ok((counts[0] ?? 0) < (counts[1] ?? 0) && (counts[1] ?? 0) < 3000, counts.join(' '));
  }),
);

async function until(there: () => boolean): Promise<void> {
  const end = Date.now() + 30_000;
  while (!there()) {
    assert.ok(Date.now() < end, 'waited for 30 s');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

t.run();
