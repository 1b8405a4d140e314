/** Values that an attribute cannot have, or that come to nothing. */
import type { Name, NumberLiteral } from '../../../grammar/ast.ts';
import type { Diagnostic } from '../../../grammar/diagnostic.ts';
import { entry, onLlama } from '../../../grammar/entry.ts';
import { percentOf } from '../../../grammar/print.ts';
import type { Span } from '../../../grammar/source.ts';
import type { FieldType } from '../../kinds/kind.ts';
import type { SiteKind } from '../../model/model.ts';
import { replace } from './edits.ts';
import { withData } from './examples.ts';
import { describeType, listOf, suggest } from './phrases.ts';

export const A120 = entry({
  code: 'A120',
  severity: 'error',
  title: 'a number out of range',
  text: `
    Counts are whole numbers from 1, rates and deviations are not negative, shares lie between 0 and 1 (or 0% and
    100%). No number may be infinite in 32 bits, with which kernels compute: the largest they hold is 3.4e38.`,
  bad: onLlama('prompt words on layers { length = 0 }'),
  good: onLlama('prompt words on layers { length = 10 }'),
});

export function outOfRange(span: Span, text: string, type: FieldType): Diagnostic {
  const isShare = type.kind === 'number' && type.max === 1 && type.integer !== true;
  const percent = isShare && /^[0-9.]+$/.test(text) && Number(text) <= 100 ? `${text}%` : null;
  return A120.at(span, `${text} is out of range`, {
    label: `expected ${describeType(type)}`,
    ...(percent === null ? {} : { help: `did you mean \`${percent}\`?`, edits: replace(span, percent) }),
  });
}

/** Kernels compute with 32 bits, in which such a number is infinite. */
export const infinite = (e: NumberLiteral): Diagnostic =>
  A120.at(e.span, `${e.text} is out of range`, {
    label: 'infinite in 32 bits, which hold numbers up to 3.4e38',
  });

/** As much as others write for a share of a run, or half a step. */
export function partOfAStep(e: NumberLiteral): Diagnostic {
  const percent = e.value < 1 && e.unit === null ? percentOf(e.value) : null;
  return A120.at(e.span, `${e.text} is no whole number of steps`, {
    ...(percent === null
      ? { help: 'write whole steps, or `epochs` behind it' }
      : { help: `a share of the run is written \`${percent}\``, edits: replace(e.span, percent) }),
  });
}

export const A122 = entry({
  code: 'A122',
  severity: 'error',
  title: 'not one of the choices',
  text: `
    The value is one of a few words or calls, which the message lists.`,
  bad: onLlama('scale scales on every linear { side = outputs }'),
  good: onLlama('scale scales on every linear { side = output }'),
});

/** `call`: a choice that takes a name, which the word may be. */
export function unknownChoice(
  name: Name,
  choices: readonly string[],
  suffix = '',
  call?: string,
): Diagnostic {
  const known = choices.map((c) => c + suffix);
  const [only] = choices.length === 1 ? choices : [];
  const text = `${call}(${name.text})`;
  const other =
    call !== undefined
      ? { help: `did you mean \`${text}\`?`, edits: replace(name.span, text) }
      : { help: only && `write \`${only}\`, the only one` };
  const details = suggest(name, choices);
  return A122.at(name.span, `\`${name.text}\` is not one of the choices`, {
    ...(details.help === undefined ? other : details),
    notes: [`choices are ${listOf(known, 20)}`],
  });
}

/** A model id in quotes. */
export function unknownModel(name: Name, known: readonly string[]): Diagnostic {
  const found = unknownChoice(name, known);
  const edits = found.fix?.edits.map((e) => ({ ...e, text: JSON.stringify(e.text) })) ?? [];
  return { ...found, ...(found.fix === undefined ? {} : { fix: { ...found.fix, edits } }) };
}

export const unknownSiteKind = (name: Name, kinds: readonly SiteKind[]): Diagnostic =>
  A122.at(name.span, `there is nothing called \`${name.text}\` in a base`, {
    ...suggest(name, kinds, 'after `every`'),
    ...(/^layers?$/.test(name.text)
      ? { help: 'write `layers`, or `every linear in layers`', edits: [] }
      : {}),
  });

export const A123 = entry({
  code: 'A123',
  severity: 'error',
  title: 'dimensions that do not fit',
  text: `
    Query heads share \`dim\` equally unless \`head_dim\` is written; key and value heads each serve the same number of
    query heads; and a head has an even width, because rotary positions turn pairs of numbers. An image is cut into whole
    patches. What a projector takes in is what its encoder gives, and a prompt is as long as the projector it reads makes
    it, so these sizes need not be written.`,
  bad: `
    base small {
      layers = 4  dim = 128  heads = 3  ffn = 256  vocab = 1000
    }`,
  good: `
    base small {
      layers = 4  dim = 128  heads = 4  ffn = 256  vocab = 1000
    }`,
});

export const badDimensions = (span: Span, message: string, why: string): Diagnostic =>
  A123.at(span, message, { notes: [why] });

export const A305 = entry({
  code: 'A305',
  severity: 'warning',
  title: 'a zero with which nothing is learned',
  text: `
    A learning rate of zero leaves every parameter as it starts, and so does a \`rate\` of zero for one part. LoRA with
    \`alpha = 0\` multiplies its update by zero, and the gradient with it. A bottleneck whose two matrices start at zero
    trains neither, since the gradient of each is a product with the other. All of these can be meant, in an experiment
    that compares with no training, so this is a warning. A number below the least normal one of 32 bits, 1.2e-38, such as
    1e-40, is zero too.`,
  bad: withData(`
      lora low on layers.attention { alpha = 0 }
      task instruct on instructions trains low`),
  good: withData(`
      lora low on layers.attention { alpha = 16 }
      task instruct on instructions trains low`),
});

/** `comesTo`: what happens with a value of zero. */
export const learnsNothing = (span: Span, what: string, comesTo: string): Diagnostic =>
  A305.at(span, `\`${what}\` is 0: ${comesTo}`);
