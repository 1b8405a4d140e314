/** Whether an encoder, a projector and the prompts that read it agree on their sizes. */
import type { Span } from '../../grammar/source.ts';
import { isCall } from '../kinds/fields.ts';
import type { FieldValue, Part } from '../model/model.ts';
import { printValue } from '../model/values.ts';
import type { Env } from './env.ts';
import type { Values } from './fields.ts';
import { badDimensions } from './messages/fields.ts';

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

/** False after a report. `gives` is what the source hands on: the encoder's tokens, or the projector's length. */
export function checkSizes(env: Env, part: Sized, source: Part | null, gives: Fields): boolean {
  const problems = [
    ...(part.kind === 'encoder' ? encoderProblems(part.fields) : []),
    ...(source === null ? [] : disagreements(part, source, gives)),
    ...(part.kind === 'project' ? projectorProblems(part) : []),
  ];
  for (const [key, message, why] of problems)
    env.report(badDimensions(part.written.get(key)?.value.span ?? part.span, message, why));
  return problems.length === 0;
}

function encoderProblems({ model }: Fields): Problem[] {
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
