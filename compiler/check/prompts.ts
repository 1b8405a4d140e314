/** What prompts and prefixes have to agree on: lengths of sums, gates that can open, layers they share. */
import type { Part } from '../model/model.ts';
import { isCall } from '../model/values.ts';
import { gateOf } from '../kinds/gate.ts';
import type { BaseEnv } from './env.ts';
import type { CheckedPart } from './checked.ts';
import { unknownPart } from './diagnostics/parts.ts';
import {
  addOutside,
  addStatic,
  addToItself,
  addUnequal,
  deadPrompt,
  gateOnInput,
  prefixesMeet,
  promptsMeet,
} from './diagnostics/prompts.ts';

/** The part to whose tokens this one adds its own, or null. */
const addedTo = ({ kind, part }: CheckedPart): string | null => kind.hooks.addedTo?.(part) ?? null;

/** Whether its tokens may be added to those of others. */
const adds = ({ kind }: CheckedPart): boolean => kind.hooks.addedTo !== undefined;

/** The parts with what follows from `fuse` and `on input` filled in; null after a report. */
export function checkPrompts(env: BaseEnv, parts: readonly CheckedPart[]): readonly CheckedPart[] | null {
  let ok = checkPrefixes(env, parts);
  const prompts = parts.filter(adds);
  for (const p of prompts) {
    if (!checkSum(env, p, prompts) || !checkGate(env, p)) ok = false;
  }
  if (!ok) return null;
  warnOverlaps(env, parts);
  return parts.map((p) => (adds(p) ? withoutGate(p) : p));
}

/** A prefix shares the softmax of the words, and there is room for one in each layer. */
function checkPrefixes(env: BaseEnv, parts: readonly CheckedPart[]): boolean {
  const found = meetings(parts.filter(({ kind }) => kind.inOneLayer === 'an error'));
  found.forEach(({ first, second, shared }, i) => {
    // One report is enough for a prefix that meets several.
    if (found[i - 1]?.second !== second) env.report(prefixesMeet(first, second, shared));
  });
  return found.length === 0;
}

interface Meeting {
  readonly first: CheckedPart;
  readonly second: CheckedPart;
  readonly shared: readonly number[];
}

/** Parts that share layers with others before them; in each layer, a part meets only the first one there. */
function meetings(parts: readonly CheckedPart[]): Meeting[] {
  const owners = new Map<number, CheckedPart>();
  return parts.flatMap((second) => {
    const shared = new Map<CheckedPart, number[]>();
    for (const layer of second.part.layers) {
      const first = owners.get(layer);
      if (first === undefined) owners.set(layer, second);
      else shared.set(first, [...(shared.get(first) ?? []), layer]);
    }
    return [...shared].map(([first, layers]) => ({ first, second, shared: layers }));
  });
}

/** Tokens on the input are words like any other, and tokens added to others share their gate. */
function withoutGate(p: CheckedPart): CheckedPart {
  if (!p.part.input && addedTo(p) === null) return p;
  return { ...p, part: { ...p.part, fields: { ...p.part.fields, gate: null } } };
}

function checkSum(env: BaseEnv, p: CheckedPart, prompts: readonly CheckedPart[]): boolean {
  const name = addedTo(p);
  const at = p.written.get('fuse')?.value.span ?? p.item.span;
  if (name === null) return true;
  const target = prompts.find((q) => q.part.name === name);
  if (target === undefined) {
    const argument = p.written.get('fuse')?.value;
    const span = argument?.kind === 'call' ? (argument.arguments[0]?.value.span ?? at) : at;
    env.report(
      unknownPart(
        { text: name, span },
        prompts.filter((q) => q !== p).map((q) => q.part.name),
        p.part.name,
      ),
    );
    return false;
  }
  if (target === p || addedTo(target) !== null) {
    env.report(addToItself(at, p.part.name, target.part.name));
    return false;
  }
  const outside = p.part.layers.filter((layer) => !target.part.layers.includes(layer));
  if (outside.length > 0 || p.part.input) {
    env.report(addOutside(at, p.part, target.part, outside));
    return false;
  }
  const length = p.part.fields['length'];
  // One token is added to every token.
  if (length !== target.part.fields['length'] && length !== 1) {
    env.report(addUnequal(at, p.part, target));
    return false;
  }
  if (p.part.source === null) {
    env.report(addStatic(at, p.part, target.part, p.written.get('fuse')));
    return false;
  }
  return true;
}

const startsAtZero = (part: Part): boolean =>
  part.source === null &&
  (part.fields['init'] === 0 || (isCall(part.fields['init']) && part.fields['init'].args['std'] === 0));

/** A gate at zero lets no gradient through to the prompt, and a prompt of zeros none to the gate. */
function checkGate(env: BaseEnv, p: CheckedPart): boolean {
  const written = p.written.get('gate');
  if (p.part.input) {
    // `none` says what is the case anyway.
    if (written === undefined || p.part.fields['gate'] === null) return true;
    env.report(gateOnInput(written, p.part.name));
    return false;
  }
  if (addedTo(p) !== null) return true;
  const gate = gateOf(p.part);
  if (gate === null || gate.init !== 0) return true;
  if (gate.per !== 'const' && !startsAtZero(p.part)) return true;
  env.report(deadPrompt(p, gate.per === 'const'));
  return false;
}

function warnOverlaps(env: BaseEnv, parts: readonly CheckedPart[]): void {
  const alone = parts.filter((p) => p.kind.inOneLayer === 'unusual' && addedTo(p) === null);
  for (const { first, second, shared } of meetings(alone)) env.report(promptsMeet(first, second, shared));
}
