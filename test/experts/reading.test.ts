/** What was recognised as a text: reading order of words, boxes of a detector. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeBoxes, describeBoxes } from '../../runtime/experts/boxes.ts';
import { readLines, type Word } from '../../runtime/experts/reading-order.ts';

const t = suite('experts: reading');

const word = (text: string, left: number, top: number, confidence = 0.9, height = 10): Word => ({
  text,
  confidence,
  box: { left, top, right: left + 10 * text.length, bottom: top + height },
});

t('lines from the top, and from the left where they stand side by side', () => {
  const lines = [
    [word('lower', 0, 50)],
    [word('right', 200, 3)],
    [word('left', 0, 0), word('one', 60, 0)],
    [word('middle', 100, 52)],
  ];
  assert.is(readLines(lines, 0.6).text, '1. left one 2. right 3. lower 4. middle');
});

t('a tall word beside two lines does not swallow them', () => {
  const lines = [[word('first', 0, 0)], [word('second', 0, 20)], [word('TALL', 100, 0, 0.9, 30)]];
  assert.is(readLines(lines, 0).text.split(/ ?\d\. /).length, 4);
});

t('one line has no number; no line is no text', () => {
  assert.equal(readLines([[word('OPEN', 0, 0, 0.8)]], 0.6), { text: 'OPEN', confidence: 0.8 });
  assert.equal(readLines([], 0.6), { text: '', confidence: null });
});

t('uncertain words and mere marks are left out', () => {
  const lines = [
    [word('OPEN', 0, 0, 0.9), word('xq', 50, 0, 0.3), word('|', 90, 0, 0.99)],
    [word('§', 0, 50)],
  ];
  assert.equal(readLines(lines, 0.6), { text: 'OPEN', confidence: 0.9 });
});

/** A map of 5 + 2 channels, 2 rows and 3 columns, with cells as they are given. */
function output(cells: Readonly<Record<number, readonly number[]>>): Float32Array {
  const map = new Float32Array(7 * 6);
  for (const [cell, channels] of Object.entries(cells))
    channels.forEach((value, channel) => (map[channel * 6 + Number(cell)] = value));
  return map;
}

t('boxes as FastestDet codes them', () => {
  const [box, ...rest] = decodeBoxes(output({ 4: [0.9, 0.5, -0.25, 0, -2, 0.1, 0.8] }), [7, 2, 3], 0.5);
  assert.is(rest.length, 0);
  assert.is(box?.label, 1);
  const near = (a: number | undefined, b: number) => assert.ok(Math.abs((a ?? NaN) - b) < 1e-6, `${a} ${b}`);
  near(box?.score, 0.9 ** 0.6 * 0.8 ** 0.4);
  const [x, y] = [(1 + Math.tanh(0.5)) / 3, (1 + Math.tanh(-0.25)) / 2];
  near(box?.left, x - 0.25);
  near(box?.right, x + 0.25);
  near(box?.top, y - 0.5 / (1 + Math.exp(2)));
});

t('of boxes on one another the surest is kept, whatever their classes', () => {
  const map = output({
    0: [0.9, 0.5, 0, 1, 1, 1, 0],
    1: [0.8, -0.5, 0, 1, 1, 0, 1],
    5: [0.7, 0, 0, -4, -4, 0, 1],
  });
  const boxes = decodeBoxes(map, [7, 2, 3], 0.5);
  assert.equal(
    boxes.map(({ label }) => label),
    [0, 1],
  );
  assert.ok((boxes[0]?.score ?? 0) > (boxes[1]?.score ?? 1));
  assert.is(decodeBoxes(map, [7, 2, 3], 0.99).length, 0);
});

t('found things are counted, the surest first', () => {
  const box = { left: 0, top: 0, right: 1, bottom: 1 };
  const boxes = [
    { ...box, label: 1, score: 0.9 },
    { ...box, label: 0, score: 0.8 },
    { ...box, label: 1, score: 0.7 },
  ];
  const { text, confidence } = describeBoxes(boxes, ['cat', 'dog']);
  assert.is(text, 'dog (2), cat');
  assert.ok(Math.abs((confidence ?? 0) - 0.8) < 1e-9);
  assert.equal(describeBoxes([], []), { text: '', confidence: null });
});

t.run();
