/** What a detector found: boxes from FastestDet's output, and their names as a text. */
import type { Reading } from './expert.ts';

/** A box in parts of the picture's width and height, from the upper left corner. */
export interface Found {
  readonly label: number;
  /** 0 to 1. */
  readonly score: number;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Boxes that cover each other by more are one. */
const OVERLAP = 0.45;

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/**
 * Decodes FastestDet (github.com/dog-qiuqiu/FastestDet, test.py): every cell of the last feature map has an object's
 * score, its centre and size, and a score for each class.
 * @param output [5 + classes, rows, columns]
 * @param least boxes below this score are left out
 */
export function decodeBoxes(
  output: Float32Array,
  [channels, rows, columns]: readonly [number, number, number],
  least: number,
): Found[] {
  const cells = rows * columns;
  const boxes = Array.from({ length: cells }, (_, cell): Found => {
    const at = (channel: number): number => output[channel * cells + cell] ?? 0;
    let label = 0;
    for (let c = 1; c < channels - 5; c++) if (at(5 + c) > at(5 + label)) label = c;
    const x = ((cell % columns) + Math.tanh(at(1))) / columns;
    const y = (Math.floor(cell / columns) + Math.tanh(at(2))) / rows;
    const [width, height] = [sigmoid(at(3)), sigmoid(at(4))];
    return {
      label,
      score: at(0) ** 0.6 * at(5 + label) ** 0.4,
      left: x - width / 2,
      top: y - height / 2,
      right: x + width / 2,
      bottom: y + height / 2,
    };
  });
  return suppress(boxes.filter(({ score }) => score > least));
}

/** Of boxes that lie on one another the surest is kept. */
function suppress(boxes: readonly Found[]): Found[] {
  const kept: Found[] = [];
  for (const box of [...boxes].sort((a, b) => b.score - a.score))
    if (kept.every((other) => overlap(box, other) <= OVERLAP)) kept.push(box);
  return kept;
}

/** Intersection over union. */
function overlap(a: Found, b: Found): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  if (width <= 0 || height <= 0) return 0;
  const area = (box: Found): number => (box.right - box.left) * (box.bottom - box.top);
  return (width * height) / (area(a) + area(b) - width * height);
}

/** `dog, person (2)`: the surest first, with how many there are; the confidence is the mean of the scores. */
export function describeBoxes(boxes: readonly Found[], labels: readonly string[]): Reading {
  const counts = new Map<number, number>();
  for (const { label } of boxes) counts.set(label, (counts.get(label) ?? 0) + 1);
  const texts = [...counts].map(
    ([label, n]) => `${labels[label] ?? `class ${label}`}${n > 1 ? ` (${n})` : ''}`,
  );
  return {
    text: texts.join(', '),
    confidence: boxes.length === 0 ? null : boxes.reduce((sum, { score }) => sum + score, 0) / boxes.length,
  };
}
