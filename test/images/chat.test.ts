/** `/image PATH` in `graft chat`: every answer from then on is that to the image, and the words before are read again. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { graft, startGraft } from '../cli/processes.ts';
import { withDevice } from '../compiler/sessions.ts';
import { noise, png } from './make.ts';
import { makePictureProject } from './sees.ts';

const t = suite('images in a chat');
const folder = mkdtempSync(join(tmpdir(), 'graft-looks-'));
t.after(() => rmSync(folder, { recursive: true, force: true }));

t('an image by its path, one that is not there, and the history with it', () =>
  withDevice(async () => {
    await makePictureProject(folder);
    writeFileSync(join(folder, 'one.png'), await png(noise(20, 14)));
    const options = ['sees.adapter:Sees', '--max-tokens', '6', '--task', 'caption'];
    const child = startGraft(['chat', ...options, '--verbose'], folder);
    let [out, err] = ['', ''];
    child.stdout?.on('data', (chunk) => (out += String(chunk)));
    child.stderr?.on('data', (chunk) => (err += String(chunk)));
    child.stdin?.end('/image nowhere.png\n/image\n/image one.png\nabc\n/image one.png\nab\n');
    const [code] = (await once(child, 'close')) as [number | null];
    assert.is(code, 0, err);
    assert.match(err, /nowhere\.png[^]*there is no such file/);
    assert.match(err, /\/image names no file/);
    assert.match(err, /one\.png is shown to the conversation/);
    const [first, second] = [...err.matchAll(/^(\d+) tokens read, (\d+) in/gm)];
    // Shown again, all words are read again with it.
    assert.ok(Number(second?.[1]) > Number(first?.[2]), err);
    const asked = await graft(['generate', ...options, '--ask', 'abc', '--image', 'one.png'], folder);
    assert.is(out.split('\n')[0], asked.out.split('\n')[0], asked.err);
  }),
);

t.run();
