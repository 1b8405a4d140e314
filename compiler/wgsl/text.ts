/** Text helpers of the kernels that are not products: one binding header, one way to read uniforms, three frames. */
import { invariant } from '../../grammar/invariant.ts';
import { type Launch, floatBits } from './kernel.ts';

/** A storage binding of a kernel: how its code calls it, how it reads it, and the tensor behind it. */
export interface Slot {
  readonly name: string;
  readonly type: 'f32' | 'u32' | 'vec2f' | 'vec2u' | 'vec4f' | 'vec4u';
  readonly tensor: number;
}

export function slot(name: string, type: Slot['type'], tensor: number | null | undefined): Slot {
  invariant(tensor !== null && tensor !== undefined, `kernel operand ${name} is missing`);
  return { name, type, tensor };
}

/** A slot that is only there when its tensor is: kernels without it neither bind nor compute it. */
export const optional = (
  name: string,
  type: Slot['type'],
  tensor: number | null | undefined,
): readonly Slot[] => (tensor === null || tensor === undefined ? [] : [slot(name, type, tensor)]);

/** A 32-bit word of the uniform block: a count, or a float. */
export type Word = number | { readonly float: number };
export const float = (value: number): Word => ({ float: value });

/** Everything a launch is made of; the uniforms' order and types also give the struct the code reads as `u`. */
export interface Plan {
  /** Names the operation and every choice that shaped the code. */
  readonly name: string;
  readonly slots: readonly Slot[];
  readonly uniforms: Readonly<Record<string, Word>>;
  readonly grid: readonly [number, number, number];
  readonly features?: readonly string[];
  /** WGSL after the header. */
  readonly code: string;
}

/** Makes the launch of a plan: header, bindings, uniform words. */
export function launch(plan: Plan): Launch {
  const { slots, name, code } = share(plan);
  const words = Object.entries(plan.uniforms);
  const features = plan.features ?? [];
  invariant(slots.length <= 8, `${name} binds ${slots.length} buffers`);
  invariant(words.length <= 64, `${name} has ${words.length} uniforms`);
  const text = [
    ...features.map((feature) => `enable ${feature};`),
    `struct Uniforms { ${words.map(([key, word]) => `${key}: ${typeof word === 'number' ? 'u32' : 'f32'}`).join(', ')} }`,
    '@group(0) @binding(0) var<uniform> u: Uniforms;',
    ...slots.map(
      (s, i) => `@group(0) @binding(${i + 1}) var<storage, read_write> ${s.name}: array<${s.type}>;`,
    ),
    helpers(code),
    code.trim(),
    '',
  ];
  return {
    kernel: {
      name,
      code: text.filter((line, i) => line || i === text.length - 1).join('\n'),
      bindings: slots.length,
      features,
    },
    operands: slots.map((s) => s.tensor),
    uniforms: words.map(([, word]) => (typeof word === 'number' ? word >>> 0 : floatBits(word.float))),
    grid: plan.grid,
  };
}

/** A tensor in two slots may be bound only once: the second name is replaced by the first, which makes another kernel. */
function share(plan: Plan): { slots: readonly Slot[]; name: string; code: string } {
  let { name, code } = plan;
  const slots: Slot[] = [];
  for (const next of plan.slots) {
    const first = slots.find((s) => s.tensor === next.tensor);
    if (!first) {
      slots.push(next);
      continue;
    }
    invariant(first.type === next.type, `${name} reads one tensor as ${first.type} and as ${next.type}`);
    code = code.replace(new RegExp(`\\b${next.name}\\[`, 'g'), `${first.name}[`);
    name = `${name}_${next.name}_is_${first.name}`;
  }
  return { slots, name, code };
}

/**
 * Functions that several kernels use, added where they are called.
 * `decay` is exp for arguments <= 0: SwiftShader goes astray far below -87, where the result is 0 anyway; a select and
 * not a max, so that NaN comes out as NaN. `boundedTanh`: SwiftShader gives NaN beyond 89, and clamp would hide NaN.
 */
const HELPERS: Readonly<Record<string, string>> = {
  decay: 'fn decay(x: vec4f) -> vec4f { return select(exp(x), vec4f(), x < vec4f(-87.0)); }',
  decayOne: 'fn decayOne(x: f32) -> f32 { return select(exp(x), 0.0, x < -87.0); }',
  total: 'fn total(x: vec4f) -> f32 { return (x.x + x.y) + (x.z + x.w); }',
  largest: 'fn largest(x: vec4f) -> f32 { return max(max(x.x, x.y), max(x.z, x.w)); }',
  isFinite: 'fn isFinite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) < 0x7f800000u; }',
  boundedTanh:
    'fn boundedTanh(x: f32) -> f32 { return select(tanh(clamp(x, -15.0, 15.0)), x, (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u); }',
  sigmoid: 'fn sigmoid(x: vec4f) -> vec4f { return 1.0 / (1.0 + exp(min(-x, vec4f(87.0)))); }',
  below:
    'fn below(c: u32, count: u32) -> vec4<bool> { return vec4u(0u, 1u, 2u, 3u) + 4u * c < vec4u(count); }',
};

function helpers(code: string): string {
  return Object.entries(HELPERS)
    .filter(([name]) => code.includes(`${name}(`))
    .map(([, text]) => text)
    .join('\n');
}
