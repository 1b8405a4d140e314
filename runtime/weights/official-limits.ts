/** What the official files state no setting for, so that their code would compute something else with a part's numbers. */
import type { Part } from '../../compiler/model/model.ts';

/** Why the official code would read a part as another; null where it would not. */
export function otherMeaning({ kind, fields }: Pick<Part, 'kind' | 'fields'>): string | null {
  switch (kind) {
    case 'lora':
      return loraMeaning(fields);
    case 'prompt':
      return promptMeaning(fields);
    default:
      return null;
  }
}

function loraMeaning({ rank, alpha, rslora, dora, on_prompts: onPrompts }: Part['fields']): string | null {
  if (dora === true) return 'its rows have lengths of their own (`dora = true`), and there they have not';
  if (onPrompts === true) return 'its update is on the keys and values of prompts too, and there it is not';
  if (typeof alpha !== 'number' || typeof rank !== 'number') return null;
  const factor = alpha / (rslora === true ? Math.sqrt(rank) : rank);
  return factor === 1 ? null : `its update is multiplied by ${factor}, and there by 1`;
}

function promptMeaning({ gate, fuse }: Part['fields']): string | null {
  // A prompt that is added to another one has the gate of that one.
  if (gate === undefined || (typeof fuse === 'object' && fuse !== null)) return null;
  const call = typeof gate === 'object' && gate !== null && 'call' in gate ? gate : null;
  if (call?.call === 'tanh' && (call.args['per'] ?? 'head') === 'head') return null;
  return 'its gate is another than there, where it is tanh of one number a head';
}
