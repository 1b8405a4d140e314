/** Programs of this machine as experts. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { splitWords } from '../../compiler/check/command-line.ts';
import { askExperts } from '../../runtime/experts/ask.ts';
import type { Answer, Sight } from '../../runtime/experts/expert.ts';
import { openExpert } from '../../runtime/experts/node.ts';
import { hasEnded } from './alive.ts';

const t = suite('experts: command');

let folder = '';
let sight: Sight;
t.before(() => {
  folder = mkdtempSync(join(tmpdir(), 'graft command '));
  const path = join(folder, 'a; touch here $(touch there) $& .png');
  writeFileSync(path, 'the bytes');
  sight = {
    bytes: readFileSync(path),
    path,
    picture: () => Promise.reject(new Error('not asked for')),
  };
  writeFileSync(join(folder, 'flood.mjs'), `process.stdout.write('\\u0007\\u001b\\u0000'.repeat(350000));`);
  writeFileSync(
    join(folder, 'endless.mjs'),
    `const more = () => process.stdout.write('x'.repeat(65536), more); more();`,
  );
});
t.after(() => rmSync(folder, { recursive: true, force: true }));

async function ask(line: string, { allowed = true, timeout = 30, from = sight } = {}): Promise<Answer> {
  const span = { file: '', start: 0, end: 0 };
  const words = splitWords(line) ?? [];
  const expert = openExpert(
    { name: 'tool', run: { kind: 'command', words, folder }, say: '{text}', timeout, length: 300, span },
    { allow: new Set(allowed ? ['command'] : []), openCaptioner: () => Promise.reject(new Error('none')) },
  );
  const [[answer] = []] = await askExperts([expert], [from]);
  assert.ok(answer);
  return answer;
}

async function says(line: string, outcome: Answer['outcome'], note: RegExp): Promise<void> {
  const answer = await ask(line);
  assert.equal([line, answer.outcome, answer.text], [line, outcome, '']);
  assert.match(answer.note, note);
}

t('what it prints is the text; it starts in the folder of the spec', async () => {
  assert.is((await ask('echo one  two')).text, 'one two');
  assert.is((await ask('pwd')).text, folder);
});

t('{image} is the file, as one argument and without a shell', async () => {
  assert.is((await ask('cat {image}')).text, 'the bytes');
  assert.is((await ask("printf '%s|' {image} --in={image}")).text, `${sight.path}|--in=${sight.path}|`);
  assert.is((await ask('echo $HOME ; `id` > out | cat *')).text, '$HOME ; `id` > out | cat *');
  for (const made of ['here', 'there', 'out']) assert.not.ok(existsSync(join(folder, made)), made);
});

t('without {image} the bytes are its standard input; one that does not read them is fine', async () => {
  assert.is((await ask('cat')).text, 'the bytes');
  const large = { ...sight, bytes: new Uint8Array(2 ** 22) };
  assert.is((await ask('echo enough', { from: large })).text, 'enough');
  assert.match(
    (await ask('cat {image}', { from: { ...sight, path: null } })).note,
    /the image is not in a file/,
  );
});

t('without permission nothing is started', async () => {
  const { outcome, note } = await ask('touch started', { allowed: false });
  assert.is(outcome, 'refused');
  assert.match(note, /`command\("touch started"\)` runs only with `--allow command`/);
  assert.not.ok(existsSync(join(folder, 'started')));
});

t('however it ends, the reason is told', async () => {
  await says("sh -c 'echo first >&2; echo no model >&2; exit 3'", 'failed', /^`sh` ended with 3: no model$/);
  await says("sh -c 'kill -SEGV $$'", 'failed', /^`sh` ended with SIGSEGV$/);
  await says(
    'no-such-program-here {image}',
    'failed',
    /`no-such-program-here` does not start: there is no such program/,
  );
  await says('true', 'empty', /nothing to say/);
  await says('node flood.mjs', 'empty', /nothing but blanks and control characters/);
  await says('node endless.mjs', 'failed', /longer than 8 MiB/);
});

t('complaints of one that succeeds are not its answer', async () => {
  const { text, note } = await ask("sh -c 'echo warning >&2; echo OPEN'");
  assert.equal([text, note], ['OPEN', '']);
});

t('one whose offspring has left the group is not waited for either', async () => {
  const pipes = (): number => process.getActiveResourcesInfo().filter((name) => name === 'PipeWrap').length;
  const before = pipes();
  const { outcome } = await ask("sh -c 'setsid sleep 5 & echo $! > left; wait'", { timeout: 1 });
  assert.is(outcome, 'late');
  for (let i = 0; i < 100; i++) if (pipes() > before) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.is(pipes(), before, 'nothing keeps our process alive');
});

t('one that hangs is ended, with all that it has started', async () => {
  const { outcome } = await ask("sh -c 'sleep 1000 & echo $! > pid; wait'", { timeout: 2 });
  assert.is(outcome, 'late');
  const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'));
  assert.ok(await hasEnded(pid), `process ${pid} has ended`);
});

t.run();
