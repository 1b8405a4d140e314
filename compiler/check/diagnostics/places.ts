/** Selectors: places of the base that parts sit on. */
import { singleName, type Expression, type Name, type Path, type Segment } from '../../../grammar/ast.ts';
import type { Diagnostic } from '../../../grammar/diagnostic.ts';
import { entry, onLlama } from '../../../grammar/entry.ts';
import { printExpression } from '../../../grammar/print.ts';
import { nearest } from '../../../grammar/suggest.ts';
import { linearsByHolder } from '../../families/words.ts';
import type { Site } from '../../model/model.ts';
import { aliasNotes, aliasOf } from '../aliases.ts';
import type { Missing, Target } from '../checked.ts';
import { replace } from './edits.ts';
import { selectorOf } from './elsewhere.ts';
import { describeExpression, listOf } from './phrases.ts';

export const A110 = entry({
  code: 'A110',
  severity: 'error',
  title: 'a selector matches nothing',
  text: `
    Places of a base have the names of Meta's checkpoints: \`layers.3.attention.wq\`, \`layers.3.feed_forward.w1\`,
    \`layers.3.attention_norm\`, \`norm\`, \`output\`, \`tok_embeddings\`. A path may leave the layer out, choose layers in
    brackets (\`layers[last 4].attention\`), use \`*\` for one word, \`**\` for any number of them and braces for a choice,
    and it means everything at or below it. A part takes from these the places its kind can sit on; when there is none,
    the selector is a mistake.`,
  bad: onLlama('bias biases on layers.attention.q_proj'),
  good: onLlama('bias biases on layers.attention.wq'),
});

/** What a kind can sit on: "linear layer", "linear or norm". */
const wantedBy = (target: Target): string =>
  target.accepts.length === 1 && target.accepts[0] === 'linear'
    ? 'linear layer'
    : target.accepts.join(' or ');

/** A path that leads nowhere. `translated`: where it leads when its words are taken for those of other libraries. */
export function noSuchPlace(
  e: Path,
  missing: Missing,
  candidates: readonly string[],
  target: Target,
  translated: Path | null,
): Diagnostic {
  const alias = aliasOf(missing.name.text, candidates);
  const meant = alias?.ours ?? nearest(missing.name.text, candidates);
  const message = `no ${wantedBy(target)} matches \`${printExpression(e)}\``;
  const label = candidates.length === 0 ? 'nothing lies below this' : '';
  const whole = translated === null ? null : printExpression(translated);
  const near = nameReplaced(e, missing, meant ?? '');
  if (whole !== null && whole !== near)
    return A110.at(missing.name.span, message, {
      label,
      help: `did you mean \`${whole}\`?`,
      edits: replace(e.span, whole),
      notes: ["places have the names of Meta's checkpoints here"],
    });
  const [first, ...others] = e.segments;
  const inLayers =
    linearsOf(e) ?? (others.length > 0 && isArea(first) ? `layers.${printExpression(e)}` : null);
  if (inLayers !== null)
    return A110.at(missing.name.span, message, {
      label,
      help: `did you mean \`${inLayers}\`?`,
      edits: replace(e.span, inLayers),
    });
  if (/^(linear|norm|embedding)s?$/.test(missing.name.text) && others.length === 0)
    return A110.at(missing.name.span, message, {
      label,
      help: `did you mean \`every ${missing.name.text.replace(/s$/, '')}\`?`,
      edits: replace(e.span, `every ${missing.name.text.replace(/s$/, '')}`),
    });
  if (missing.name.text === 'all')
    return A110.at(missing.name.span, message, {
      label: 'all layers, but no places in them',
      help: 'write `every linear in layers`, or a path such as `layers.attention`',
    });
  if (meant === undefined)
    return A110.at(missing.name.span, message, {
      label,
      notes: candidates.length === 0 ? [] : [`known here are ${listOf(candidates)}`],
    });
  return A110.at(missing.name.span, message, {
    help: `did you mean \`${meant}\`?`,
    edits: replace(missing.name.span, meant),
    notes: alias === undefined ? [] : aliasNotes(missing.name.text, alias),
  });
}

/** `wq`, `layers.wq` or `layers[0].{wq, w1}` with the words between; null for any other path. */
function linearsOf({ segments }: Path): string | null {
  const [head] = segments;
  const layers = head?.kind === 'name' && head.name.text === 'layers' ? head : null;
  const [last, ...more] = layers === null ? segments : segments.slice(1);
  if (last === undefined || more.length > 0) return null;
  const names = last.kind === 'name' ? [last.name] : last.kind === 'choice' ? last.names : [];
  const selector = selectorOf(names.map(({ text }) => text));
  if (selector === null || layers === null || layers.index === null) return selector;
  return selector.replaceAll('layers.', `layers[${printExpression(layers.index)}].`);
}

/** `attention` or `feed_forward`: what in a layer holds linears. */
const isArea = (s: Segment | undefined): boolean =>
  s?.kind === 'name' && Object.hasOwn(linearsByHolder, s.name.text);

/** The path with the word that is not there replaced by another. */
function nameReplaced(e: Path, { name }: Missing, text: string): string {
  const other = (n: Name): Name => (n.span.start === name.span.start ? { ...n, text } : n);
  const segments = e.segments.map((s) =>
    s.kind === 'name'
      ? { ...s, name: other(s.name) }
      : s.kind === 'choice'
        ? { ...s, names: s.names.map(other) }
        : s,
  );
  return printExpression({ ...e, segments });
}

/** A selector of places that exist, on none of which the part can sit. */
export function wrongPlace(e: Expression, found: readonly Site[], target: Target): Diagnostic {
  const kinds = [...new Set(found.map((s) => `${s.kind}s`))].join(' and ');
  return A110.at(e.span, `no ${wantedBy(target)} matches \`${printExpression(e)}\``, {
    label: kinds === '' ? '' : `these are ${kinds}`,
    notes: [`\`${target.kind}\` sits on ${target.accepts.map((k) => `${k}s`).join(', ')}`],
  });
}

export const A129 = entry({
  code: 'A129',
  severity: 'error',
  title: 'expected a place of the base',
  text: `
    Parts other than prompts and prefixes sit on linears, norms or embeddings. These are selected by paths, or with
    \`every linear in ...\`; layers alone are not such places, but they can stand in brackets after \`layers\`.`,
  bad: onLlama('bias biases on last 4'),
  good: onLlama('bias biases on layers[last 4]'),
});

export function notIndexed(e: Path, misplaced: Segment): Diagnostic {
  const index = misplaced.kind === 'name' ? misplaced.index : null;
  const moved = e.segments.map((s) =>
    s.kind !== 'name'
      ? s
      : s.name.text === 'layers'
        ? { ...s, index }
        : s === misplaced
          ? { ...s, index: null }
          : s,
  );
  const head = e.segments[0];
  const free = head?.kind === 'name' && head.name.text === 'layers' && head.index === null;
  const text = printExpression({ ...e, segments: moved });
  return A129.at(misplaced.span, 'only `layers` can be followed by layers in brackets', {
    help: `put the brackets after \`layers\`, as in \`${free ? text : 'layers[first 4].attention.wq'}\``,
    edits: free ? replace(e.span, text) : [],
  });
}

export function notAPlace(e: Expression, kind: string): Diagnostic {
  const layers = `layers[${printExpression(e)}]`;
  const names = (e.kind === 'list' ? e.items : [e]).map((item) =>
    item.kind === 'string' ? item.value : (singleName(item)?.text ?? null),
  );
  const known = names.filter((name) => name !== null);
  const all = e.kind === 'string' && e.value === 'all-linear' ? 'every linear in layers' : null;
  const selector = all ?? (known.length === names.length ? selectorOf(known) : null);
  if (selector !== null)
    return A129.at(e.span, `expected places for \`${kind}\`, not ${describeExpression(e)}`, {
      help: `did you mean \`${selector}\`?`,
      edits: replace(e.span, selector),
    });
  const meant = ['edge', 'range', 'number'].includes(e.kind) || (e.kind === 'list' && known.length === 0);
  return A129.at(e.span, `expected places for \`${kind}\`, not ${describeExpression(e)}`, {
    help: meant
      ? `write \`${layers}\`, or \`every linear in ${layers}\``
      : 'write a path such as `layers.attention.wq`, or `every linear in layers`',
    edits: meant ? replace(e.span, layers) : [],
  });
}
