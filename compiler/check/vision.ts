/** Whether an encoder, its projectors and the prompts that read them agree on their sizes. */
import type { Span } from '../../grammar/source.ts';
import { tokensIn } from '../kinds/encoder.ts';
import { isCall } from '../kinds/fields.ts';
import { outputWidth } from '../kinds/project.ts';
import { vitOf } from '../kinds/vit.ts';
import type { Base, FieldValue, Part } from '../model/model.ts';
import { printValue } from '../model/values.ts';
import type { BaseEnv } from './env.ts';
import type { Values } from './checked.ts';
import { layersOf } from './layers.ts';
import { badDimensions } from './diagnostics/values.ts';
import { numbersInBlocks, tooLarge } from './sizes.ts';

type Fields = Readonly<Record<string, FieldValue>>;

/** A part before it is one: its attributes with what it takes over, and where they were written. */
export interface Sized {
  readonly name: string;
  readonly kind: string;
  readonly fields: Fields;
  readonly written: Values['written'];
  readonly span: Span;
}

/** What is wrong, the attribute it is reported at, and why. */
type Problem = readonly [key: string, message: string, why: string];

/** False after a report. `gives` is what the source hands on: its tokens and their width, or its length. */
export function checkSizes(env: BaseEnv, part: Sized, source: Part | null, gives: Fields): boolean {
  const problems = [
    ...(part.kind === 'encoder'
      ? [...vastEncoder(part), ...encoderProblems(part.fields), ...idleProblems(part)]
      : []),
    ...(source === null ? [] : disagreements(part, source, gives)),
    ...(part.kind === 'project' ? [...vastProjector(part), ...projectorProblems(part)] : []),
    ...(part.kind === 'prompt' && source !== null ? promptProblems(part, source, env.base) : []),
  ];
  for (const [key, message, why] of problems)
    env.report(badDimensions(part.written.get(key)?.value.span ?? part.span, message, why));
  return problems.length === 0;
}

/**
 * The blocks that an encoder's `at` means, ascending; null: none were asked for. Undefined after a report.
 * They are the layers of the encoder, written as those of the base are.
 */
export function checkBlocks(
  env: BaseEnv,
  name: string,
  { values, written }: Values,
): readonly number[] | null | undefined {
  const at = written.get('at')?.value;
  if (at === undefined || !isCall(values['model'])) return null;
  const vit = vitOf(values['model']);
  if (vit === null && values['model'].call === 'features') {
    env.report(badDimensions(at.span, `the features of \`${name}\` come from no block`, 'take `at` away'));
    return undefined;
  }
  // Which CLIP that is, is asked elsewhere.
  if (vit === null) return null;
  const blocks = layersOf({ ...env, base: { ...env.base, name, layers: vit.layers } }, at);
  return blocks === null ? undefined : blocks.length === 0 ? null : blocks;
}

/** More numbers in its blocks than any machine holds. */
function vastEncoder({ name, fields }: Sized): Problem[] {
  const vit = vitOf(fields['model']);
  if (vit === null) return [];
  const { width, hidden } = vit.block;
  const large = tooLarge(name, numbersInBlocks(vit.layers, width, hidden), {
    layers: vit.layers,
    width,
    hidden,
  });
  return large === null ? [] : [['model', large.message, large.why]];
}

function vastProjector({ name, fields }: Sized): Problem[] {
  if (fields['kind'] !== 'queries') return [];
  const width = Number(fields['hidden'] ?? fields['width']);
  const hidden = Number(fields['block_hidden'] ?? 4 * width);
  const depth = Number(fields['depth']);
  const large = tooLarge(name, numbersInBlocks(depth, width, hidden), {
    depth,
    hidden: width,
    block_hidden: hidden,
  });
  return large === null ? [] : [[large.key, large.message, large.why]];
}

/** Tokens an image may have: their attention scores alone are a gibibyte a head. */
const MOST_TOKENS = 2 ** 14;

function encoderProblems({ model, take }: Fields): Problem[] {
  const tokens = tokensIn(model) ?? 0;
  if (tokens > MOST_TOKENS)
    return [
      [
        'model',
        `an image of ${tokens} tokens, at most ${MOST_TOKENS} are possible`,
        'take larger patches or a smaller image',
      ],
    ];
  if (take === 'patches' && tokens === 1)
    return [['take', 'the only token is the class token', 'no patches are left without it']];
  if (!isCall(model) || model.call !== 'vit') return [];
  const { resolution, patch, width, heads } = model.args;
  const whole = (a: FieldValue | undefined, b: FieldValue | undefined) => Number(a) % Number(b) === 0;
  return [
    ...(whole(resolution, patch)
      ? []
      : [
          [
            'model',
            `patches of ${printValue(patch ?? null)} do not divide an image of ${printValue(resolution ?? null)} pixels`,
            'patches are squares side by side, with nothing left over',
          ] as const,
        ]),
    ...(whole(width, heads)
      ? []
      : [
          [
            'model',
            `${printValue(heads ?? null)} heads do not divide a width of ${printValue(width ?? null)}`,
            'each head takes an equal share of `width`',
          ] as const,
        ]),
  ];
}

/** Sizes that were written although the source says them, and says otherwise. */
function disagreements({ written, fields, name }: Sized, source: Part, gives: Fields): Problem[] {
  return Object.entries(gives).flatMap(([key, given]) =>
    !written.has(key) || given === null || fields[key] === given
      ? []
      : [
          [
            key,
            `\`${name}\` reads \`${key} = ${printValue(fields[key] ?? null)}\`, \`${source.name}\` gives ${printValue(given)}`,
            `take \`${key}\` away: it follows from \`${source.name}\``,
          ] as const,
        ],
  );
}

/** Features come as they are: nothing that is done to pictures is done to them. */
const idleProblems = ({ written, fields: { model } }: Sized): Problem[] =>
  isCall(model) && model.call === 'features'
    ? ['normalise', 'channels', 'crop']
        .filter((key) => written.has(key))
        .map((key) => [key, `\`${key}\` says nothing about features`, `take \`${key}\` away`] as const)
    : [];

/** A prompt's tokens go where words go. */
function promptProblems({ name }: Sized, source: Part, base: Base): Problem[] {
  const width = outputWidth(source, base);
  if (width === base.dim) return [];
  return [
    [
      'length',
      `\`${name}\` reads tokens of ${width} numbers, \`${base.name}\` takes ${base.dim}`,
      `take \`output\` of \`${source.name}\` away, or put a \`project\` after it`,
    ],
  ];
}

function projectorProblems({ fields }: Sized): Problem[] {
  const { kind, length, tokens, width, hidden, heads } = fields;
  const [makes, comes] = [Number(length), Number(tokens)];
  if (kind === 'queries') {
    const inside = Number(hidden ?? width);
    if (inside % Number(heads) === 0) return [];
    return [
      [
        'heads',
        `${printValue(heads ?? null)} heads do not divide a width of ${inside}`,
        'each head takes an equal share',
      ],
    ];
  }
  if (kind === 'bridge' && tokens !== null && makes !== comes)
    return [
      ['length', `a bridge makes ${makes} tokens of ${comes}`, 'it makes one token of each that comes in'],
    ];
  if (kind !== 'bridge' && comes > 1 && makes > comes)
    return [
      [
        'length',
        `${makes} tokens cannot be made of ${comes}`,
        'a linear or an MLP makes one token of each of the first that come in; `queries` makes any number',
      ],
    ];
  return [];
}
