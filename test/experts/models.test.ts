/** The experts that compute: Tesseract and a detector, in processes of their own. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ExpertRun } from '../../compiler/model/expert.ts';
import { askExperts } from '../../runtime/experts/ask.ts';
import type { Answer, Expert, Sight } from '../../runtime/experts/expert.ts';
import { openExpert } from '../../runtime/experts/node.ts';
import { loadOptional } from '../../runtime/experts/optional.ts';
import { inProcess } from '../../runtime/experts/process.ts';
import { decodePicture } from '../../runtime/images/node.ts';
import { noise, png } from '../images/make.ts';
import { withShared } from '../shared.ts';
import { emojiPng, signPng } from './sign.ts';

const t = suite('experts: models');

let folder = '';
t.before(() => {
  folder = mkdtempSync(join(tmpdir(), 'graft-models-'));
});
t.after(() => rmSync(folder, { recursive: true, force: true }));

const sightOf = (bytes: Uint8Array): Sight => ({ bytes, path: null, picture: () => decodePicture(bytes) });

const expertOf = (run: ExpertRun, timeout = 60): Expert =>
  openExpert(
    { name: 'it', run, say: '{text}', timeout, length: 300, span: { file: '', start: 0, end: 0 } },
    { allow: new Set(), openCaptioner: () => Promise.reject(new Error('none')) },
  );

async function ask(expert: Expert, ...images: Uint8Array[]): Promise<Answer[]> {
  return (await askExperts([expert], images.map(sightOf))).flat();
}

const ocr = { kind: 'ocr', language: 'eng', confidence: 0.6 } as const;

t('reads a sign beside an emoji, in the order of its lines', async () => {
  const [sign, small, emoji] = await ask(
    expertOf(ocr),
    await signPng(['OPEN', 'TAXI']),
    await signPng(['EXIT'], 'red-apple'),
    await emojiPng('dog-face'),
  );
  assert.equal([sign?.outcome, sign?.text], ['answered', '1. OPEN 2. TAXI']);
  assert.ok((sign?.confidence ?? 0) > 0.6 && (sign?.confidence ?? 2) <= 1);
  assert.is(small?.text, 'EXIT');
  assert.equal([emoji?.outcome, emoji?.text], ['empty', '']);
});

t('reads the picture that the documentation tries', async () => {
  const [answer] = await ask(
    expertOf(ocr),
    readFileSync(join(import.meta.dirname, '../../examples/base/lantern.png')),
  );
  assert.is(answer?.text, 'lantern');
});

t('the least confidence leaves words out', async () => {
  const [answer] = await ask(expertOf({ ...ocr, confidence: 1 }), await signPng(['OPEN']));
  assert.is(answer?.outcome, 'empty');
});

t('a language that is not installed, and one that is broken', async () => {
  const [unknown] = await ask(expertOf({ ...ocr, language: 'tlh' }), await signPng(['OPEN']));
  assert.is(unknown?.outcome, 'failed');
  assert.match(
    unknown?.note ?? '',
    /language `tlh` of Tesseract is not installed; install it with `npm install @tesseract\.js-data\/tlh`/,
  );
  for (const [name, bytes] of [
    ['absent', null],
    ['eng', Buffer.from('no such data')],
  ] as const) {
    if (bytes) writeFileSync(join(folder, `${name}.traineddata.gz`), bytes);
    const job = { ...ocr, language: name, data: folder };
    const broken: Expert = { ...expertOf(ocr), ...inProcess(() => Promise.resolve(job)) };
    const [answer] = await ask(broken, await signPng(['OPEN']));
    assert.is(answer?.outcome, 'failed', name);
    assert.match(answer?.note ?? '', /Tesseract does not start|process ended/, name);
  }
});

t('one that is late is ended, and the next image starts it again', async () => {
  const expert = expertOf(ocr);
  const sign = await signPng(['OPEN']);
  const [late] = (
    await askExperts([{ ...expert, timeout: 0.01, close: () => undefined }], [sightOf(sign)])
  ).flat();
  assert.is(late?.outcome, 'late');
  const [again] = await ask(expert, sign);
  assert.equal([again?.outcome, again?.text], ['answered', 'OPEN']);
});

t('a package that is missing is told by name', async () => {
  const name: string = 'no-such-package';
  const missing = loadOptional(name, () => import(name));
  const error = await missing.catch((e: unknown) => e);
  assert.match(
    String(error),
    /no-such-package does not load: .*\n {2}help: install it with `npm install no-such-package`/,
  );
});

withShared(t, 'a detector finds things', async (shared) => {
  const run = {
    kind: 'detect',
    confidence: 0.5,
    model: join(shared, 'data/FastestDet.onnx'),
    labels: join(shared, 'data/coco.names'),
  } as const;
  const [bear, nothing] = await ask(
    expertOf(run),
    await emojiPng('teddy-bear'),
    await png(noise(40, 30, 120, 130)),
  );
  assert.match(bear?.text ?? '', /^teddy bear/);
  assert.ok((bear?.confidence ?? 0) > 0.5);
  assert.is(nothing?.outcome, 'empty');

  writeFileSync(join(folder, 'few.names'), 'one\ntwo\n');
  const [few] = await ask(expertOf({ ...run, labels: join(folder, 'few.names') }), await emojiPng('bus'));
  assert.match(few?.note ?? '', /FastestDet\.onnx knows 80 classes, its labels name 2/);
});

t('files that are no detectors are told', async () => {
  writeFileSync(join(folder, 'broken.onnx'), 'no model');
  writeFileSync(join(folder, 'identity.onnx'), identityModel());
  writeFileSync(join(folder, 'names'), 'one\n');
  const says = async (model: string, note: RegExp): Promise<void> => {
    const run = {
      kind: 'detect',
      model: join(folder, model),
      labels: join(folder, 'names'),
      confidence: 0.5,
    } as const;
    const [answer] = await ask(expertOf(run), await emojiPng('bus', 32));
    assert.is(answer?.outcome, 'failed', model);
    assert.match(answer?.note ?? '', note);
  };
  await says('nowhere.onnx', /cannot read .*nowhere\.onnx: there is no such file/);
  await says('broken.onnx', /broken\.onnx is no ONNX model that can be run/);
  await says(
    'identity.onnx',
    /identity\.onnx takes \[1, 4\], not one image \[1, 3, height, width\]; detectors other than/,
  );
});

/** The smallest ONNX model: y = x, both float32 [1, 4]. Fields of protocol buffers, written by hand. */
function identityModel(): Uint8Array {
  const bytes = (field: number, ...parts: (number[] | string)[]): number[] => {
    const content = parts.flatMap((part) => (typeof part === 'string' ? [...Buffer.from(part)] : part));
    return [(field << 3) | 2, content.length, ...content];
  };
  const number = (field: number, value: number): number[] => [field << 3, value];
  const dimension = (size: number): number[] => bytes(1, number(1, size));
  const tensor = bytes(1, number(1, 1), bytes(2, dimension(1), dimension(4)));
  const value = (field: number, name: string): number[] => bytes(field, bytes(1, name), bytes(2, tensor));
  const node = bytes(1, bytes(1, 'x'), bytes(2, 'y'), bytes(4, 'Identity'));
  const graph = bytes(7, node, bytes(2, 'g'), value(11, 'x'), value(12, 'y'));
  return Uint8Array.from([...number(1, 8), ...graph, ...bytes(8, number(2, 13))]);
}

t.run();
