/** Messages about selectors: places of the base that parts sit on. */
import type { Expression, Name, Path } from '../../../grammar/ast.ts';
import { error, type Diagnostic } from '../../../grammar/diagnostic.ts';
import { printExpression } from '../../../grammar/print.ts';
import type { Span } from '../../../grammar/source.ts';
import { nearest } from '../../../grammar/suggest.ts';
import type { Site, SiteKind } from '../../model/model.ts';
import type { Missing, Target } from '../selectors.ts';
import { describeExpression } from './fields.ts';
import { listOf, suggest } from './names.ts';

/** Names that Hugging Face's models give to the places that Meta's checkpoints, and so we, call otherwise. */
const aliases: Readonly<Record<string, string>> = {
  q_proj: 'wq',
  k_proj: 'wk',
  v_proj: 'wv',
  o_proj: 'wo',
  gate_proj: 'w1',
  up_proj: 'w3',
  down_proj: 'w2',
  self_attn: 'attention',
  mlp: 'feed_forward',
  input_layernorm: 'attention_norm',
  post_attention_layernorm: 'ffn_norm',
  embed_tokens: 'tok_embeddings',
  lm_head: 'output',
};

/** What a kind can sit on: "linear layer", "linear or norm". */
const wantedBy = (target: Target): string =>
  target.accepts.length === 1 && target.accepts[0] === 'linear'
    ? 'linear layer'
    : target.accepts.join(' or ');

/** A path that leads nowhere. */
export function noSuchPlace(
  e: Path,
  missing: Missing,
  candidates: readonly string[],
  target: Target,
): Diagnostic {
  const alias = Object.hasOwn(aliases, missing.name.text) ? aliases[missing.name.text] : undefined;
  const meant =
    alias !== undefined && candidates.includes(alias) ? alias : nearest(missing.name.text, candidates);
  const message = `no ${wantedBy(target)} matches \`${printExpression(e)}\``;
  const label = candidates.length === 0 ? 'nothing lies below this' : '';
  if (missing.index === 0 && missing.name.text === 'model') {
    return error('A110', missing.name.span, message, {
      help: 'leave `model` away: names start with `layers`',
    });
  }
  if (meant === undefined)
    return error('A110', missing.name.span, message, {
      label,
      notes: candidates.length === 0 ? [] : [`known here are ${listOf(candidates)}`],
    });
  return error('A110', missing.name.span, message, {
    help: `did you mean \`${meant}\`?`,
    edits: [{ span: missing.name.span, text: meant }],
    notes: alias === undefined ? [] : [`\`${missing.name.text}\` is Hugging Face's name for \`${alias}\``],
  });
}

/** A selector of places that exist, on none of which the part can sit. */
export function wrongPlace(e: Expression, found: readonly Site[], target: Target): Diagnostic {
  const kinds = [...new Set(found.map((s) => `${s.kind}s`))].join(' and ');
  return error('A110', e.span, `no ${wantedBy(target)} matches \`${printExpression(e)}\``, {
    label: kinds === '' ? '' : `these are ${kinds}`,
    notes: [`\`${target.kind}\` sits on ${target.accepts.map((k) => `${k}s`).join(', ')}`],
  });
}

export const notIndexed = (span: Span): Diagnostic =>
  error('A129', span, 'only `layers` can be followed by layers in brackets', {
    help: 'put the brackets after `layers`, as in `layers[first 4].attention.wq`',
  });

export const unknownSiteKind = (name: Name, kinds: readonly SiteKind[]): Diagnostic =>
  error(
    'A122',
    name.span,
    `there is nothing called \`${name.text}\` in a base`,
    suggest(name, kinds, 'after `every`'),
  );

export const notAPlace = (e: Expression, kind: string): Diagnostic =>
  error('A129', e.span, `expected places for \`${kind}\`, not ${describeExpression(e)}`, {
    help:
      e.kind === 'edge' || e.kind === 'range' || e.kind === 'number' || e.kind === 'list'
        ? `write \`layers[${printExpression(e)}]\`, or \`every linear in layers[${printExpression(e)}]\``
        : 'write a path such as `layers.attention.wq`, or `every linear in layers`',
  });
