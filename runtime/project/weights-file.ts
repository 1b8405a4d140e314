/** Where the weights of a network beside the base come from. */
import type { Host } from '../../compiler/host.ts';
import type { Part } from '../../compiler/model/model.ts';
import { isCall } from '../../compiler/model/values.ts';

/** The file an encoder's or a projector's weights come from; null: its spec names none. */
export function weightsFile({ resolve }: Pick<Host, 'resolve'>, { fields, span }: Part): string | null {
  const path = isCall(fields['model']) ? fields['model'].args['weights'] : fields['weights'];
  return typeof path === 'string' ? resolve(span.file, path) : null;
}
