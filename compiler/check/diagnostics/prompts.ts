/** Prompts and prefixes that do not go together, or never act. */
import type { Field } from '../../../grammar/ast.ts';
import type { Diagnostic } from '../../../grammar/diagnostic.ts';
import { entry, onLlama } from '../../../grammar/entry.ts';
import type { Span } from '../../../grammar/source.ts';
import { textOf } from '../../kinds/fields.ts';
import type { Part } from '../../model/model.ts';
import type { CheckedPart } from '../checked.ts';
import { remove } from './edits.ts';
import { withData } from './examples.ts';
import { asWritten } from './phrases.ts';

export const A125 = entry({
  code: 'A125',
  severity: 'error',
  title: 'prompts that cannot be added',
  text: `
    \`fuse = add(words)\` adds the tokens of an image to those of another prompt, one by one, before attention sees them;
    a single token is added to every one. So the prompt reads a projector, and the other must be a prompt that stands
    alone, sit in every layer in which it is added to, and have as many tokens, if it is not one. The gate of the other
    then holds for both.`,
  bad: onLlama(`
      encoder vision { model = clip("openai/clip-vit-large-patch14") }
      project visual from vision { length = 20 }
      prompt words on layers { length = 10 }
      prompt image on layers from visual { fuse = add(words) }`),
  good: onLlama(`
      encoder vision { model = clip("openai/clip-vit-large-patch14") }
      project visual from vision { length = 10 }
      prompt words on layers { length = 10 }
      prompt image on layers from visual { fuse = add(words) }`),
});

export const addToItself = (span: Span, name: string, target: string): Diagnostic =>
  A125.at(
    span,
    name === target ? `\`${name}\` is added to itself` : `\`${target}\` is itself added to another prompt`,
    {
      notes: ['a prompt is added to one that stands alone, whose gate then holds for both'],
    },
  );

export const addOutside = (span: Span, part: Part, target: Part, outside: readonly number[]): Diagnostic =>
  A125.at(span, `\`${part.name}\` is added to \`${target.name}\` where there is none`, {
    label: part.input
      ? `\`${part.name}\` is on the input`
      : `\`${target.name}\` is not in layer ${outside[0]}`,
    help: `put both on the same layers`,
  });

export const addUnequal = (span: Span, part: Part, target: CheckedPart): Diagnostic =>
  A125.at(span, `\`${part.name}\` and \`${target.part.name}\` differ in length`, {
    label: `adds ${textOf(part.fields['length'])} tokens to ${textOf(target.part.fields['length'])}`,
    related: [
      {
        span: (target.written.get('length') ?? target.item.name).span,
        label: `\`${target.part.name}\` is declared here`,
      },
    ],
    help: 'give both the same `length`, or one token, which is added to all of them',
  });

/** Trained tokens added to trained tokens are no more than trained tokens. */
export const addStatic = (span: Span, part: Part, target: Part, fuse: Field | undefined): Diagnostic =>
  A125.at(span, `\`${part.name}\` has nothing to add to \`${target.name}\``, {
    label: 'only what comes from an image is added',
    help: 'write `from` and the name of a `project`, or take `fuse` away',
    edits: fuse === undefined ? [] : remove(fuse.span),
  });

export const A131 = entry({
  code: 'A131',
  severity: 'error',
  title: 'a gate on the input',
  text: `
    A prompt \`on input\` is put in front of the words and goes through the base like them. There is no attention of its
    own that a gate could close.`,
  bad: onLlama('prompt soft on input { length = 20  gate = tanh(init: 0) }'),
  good: onLlama('prompt soft on input { length = 20 }'),
});

export const gateOnInput = (written: Field, name: string): Diagnostic =>
  A131.at(written.span, 'a prompt on the input has no gate', {
    label: `\`${name}\` goes through the base like words`,
    help: `take \`${asWritten(written)}\` away`,
    edits: remove(written.span),
  });

export const A134 = entry({
  code: 'A134',
  severity: 'error',
  title: 'two prefixes in one layer',
  text: `
    The keys and values of a prefix stand before those of the words, in one softmax with them, and a layer has room for
    one prefix. Two of them would be one longer prefix in any case: give it the sum of the lengths, or give each prefix
    layers of its own.`,
  bad: onLlama(`
      prefix early on layers[first 20] { length = 10 }
      prefix late  on layers[last 20]  { length = 10 }`),
  good: onLlama(`
      prefix early on layers[first 16] { length = 10 }
      prefix late  on layers[last 16]  { length = 10 }`),
});

export const prefixesMeet = (a: CheckedPart, b: CheckedPart, shared: readonly number[]): Diagnostic =>
  A134.at(b.item.name.span, `two prefixes in ${numbers(shared)}`, {
    label: `\`${b.part.name}\` is a prefix where \`${a.part.name}\` is one already`,
    related: [{ span: a.item.name.span, label: `\`${a.part.name}\` is declared here` }],
    help: 'give them different layers, or make one longer prefix',
  });

export const A202 = entry({
  code: 'A202',
  severity: 'error',
  title: 'a prompt that can never act',
  text: `
    A gate at zero multiplies the prompt's gradient by zero, and a prompt of zeros has values of zero, so it gives the gate
    no gradient either. One of them has to start elsewhere: the paper starts the gate at zero and the prompt from a
    normal distribution. A gate that is not trained (\`per: const\`) and is zero is the same mistake.`,
  bad: withData(`
      prompt words on layers { length = 10  gate = tanh(init: 0)  init = 0 }
      task   instruct on instructions trains words`),
  good: withData(`
      prompt words on layers { length = 10  gate = tanh(init: 0) }
      task   instruct on instructions trains words`),
});

/** Nothing can ever come through this prompt. */
export function deadPrompt(p: CheckedPart, constant: boolean): Diagnostic {
  const gate = p.written.get('gate');
  const init = p.written.get('init');
  const span = (init ?? gate ?? p.item.name).span;
  if (constant) {
    return A202.at(gate?.span ?? span, `\`${p.part.name}\` never has an effect`, {
      label: 'a gate that stays at zero',
      help: 'start it elsewhere, or let it be trained with `per: head`',
    });
  }
  return A202.at(span, `neither the prompt nor the gate of \`${p.part.name}\` can ever move`, {
    label: 'both start at zero',
    related:
      gate === undefined || gate === init ? [] : [{ span: gate.span, label: 'the gate starts at zero here' }],
    notes: ['a gate at zero gives the prompt no gradient, and a prompt of zeros gives none to the gate'],
    help: 'leave `init` away: prompts then start from a normal distribution',
    edits: init === undefined ? [] : remove(init.span),
  });
}

export const A301 = entry({
  code: 'A301',
  severity: 'warning',
  title: 'two prompts meet in a layer',
  text: `
    Each prompt keeps its own softmax and its own gate, and what comes of them is added, so this is allowed and an
    experiment worth making. LLaMA-Adapter V2 keeps them apart: with N layers, the image enters the first K and prompts sit in the
    last L, where K + L is at most N (section 4.3; its own setting is N = 32, L = 31, K = 1).`,
  bad: withData(`
      prompt words on layers[last 31]  { length = 10 }
      prompt image on layers[first 2] { length = 20 }
      task   instruct on instructions trains words + image`),
  good: withData(`
      prompt words on layers[last 31]  { length = 10 }
      prompt image on layers[first 1] { length = 20 }
      task   instruct on instructions trains words + image`),
});

export const promptsMeet = (a: CheckedPart, b: CheckedPart, shared: readonly number[]): Diagnostic =>
  A301.at(b.item.name.span, `\`${b.part.name}\` and \`${a.part.name}\` meet in ${numbers(shared)}`, {
    related: [{ span: a.item.name.span, label: `\`${a.part.name}\` is declared here` }],
    notes: [
      'each keeps its own softmax and gate, and both are added; LLaMA-Adapter V2 keeps early and late layers apart (section 4.3)',
    ],
  });

/** `layer 2`, or `layers 0 to 7`; of layers with gaps, how many: `5 layers, first in 0`. */
function numbers(layers: readonly number[]): string {
  const first = layers[0] ?? 0;
  const last = layers.at(-1) ?? 0;
  if (layers.length === 1) return `layer ${first}`;
  return last - first === layers.length - 1
    ? `layers ${first} to ${last}`
    : `${layers.length} layers, first in ${first}`;
}
