/** A frozen image encoder. */
import type { FieldValue } from '../model/model.ts';
import { choice, count, isCall, numberOf } from './fields.ts';
import type { Kind } from './kind.ts';

interface Vision {
  /** Numbers in each token it gives, and how many tokens an image has, the class token counted. */
  readonly width: number;
  readonly tokens: number;
}

/** CLIP's encoders, after the projection that CLIP applies to its class token and the official code to all of them. */
const clips: Readonly<Record<string, Vision>> = {
  'openai/clip-vit-base-patch32': { width: 512, tokens: 50 },
  'openai/clip-vit-base-patch16': { width: 512, tokens: 197 },
  'openai/clip-vit-large-patch14': { width: 768, tokens: 257 },
  'openai/clip-vit-large-patch14-336': { width: 768, tokens: 577 },
};
export const clipNames = Object.keys(clips);

/** What an encoder's `model` gives, or null when it is a CLIP we do not know. */
export function visionOf(model: FieldValue | undefined): Vision | null {
  if (!isCall(model)) return null;
  if (model.call === 'clip') return clips[String(model.args['id'])] ?? null;
  return { width: numberOf(model.args['width']), tokens: numberOf(model.args['tokens']) };
}

export const encoder: Kind = {
  name: 'encoder',
  doc: 'A frozen network that turns an image into tokens.',
  formula: 'tokens = encode(image)',
  source: 'CLIP, arXiv 2103.00020; LLaMA-Adapter V2, arXiv 2304.15010, section 4.3',
  selects: 'nothing',
  fields: {
    model: {
      type: {
        kind: 'call',
        calls: {
          clip: {
            id: { type: { kind: 'string' }, doc: 'A model id, such as `openai/clip-vit-large-patch14`.' },
          },
          vit: {
            weights: { type: { kind: 'string' }, doc: 'A safetensors file.' },
            width: { type: count(), doc: 'Numbers in each token.' },
            tokens: { type: count(), doc: 'Tokens of an image, the class token counted.' },
          },
        },
      },
      doc: 'Which network: `clip(ID)`, or `vit(FILE, width: .., tokens: ..)` for one of your own.',
    },
    take: {
      type: choice('tokens', 'class'),
      default: 'tokens',
      doc: 'All tokens of the last layer, or only the class token.',
    },
  },
  parameters: () => [],
  hooks: {},
};
