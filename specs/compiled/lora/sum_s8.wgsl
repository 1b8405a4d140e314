enable subgroups;
struct Uniforms { count: u32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read_write> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
fn total(x: vec4f) -> f32 { return (x.x + x.y) + (x.z + x.w); }
fn below(c: u32, count: u32) -> vec4<bool> { return vec4u(0u, 1u, 2u, 3u) + 4u * c < vec4u(count); }
const LANES = 8u;
fn rowSum(x: f32, l: u32) -> f32 { return subgroupAdd(x); }
@compute @workgroup_size(32)
fn main(@builtin(local_invocation_index) l: u32, @builtin(workgroup_id) wg: vec3u) {
  let row = (wg.y * 65535u + wg.x) * 4u + l / LANES;
  let lane = l % LANES;
  var part = vec4f();
  let end = select(0u, (u.count + 3u) / 4u, row == 0u);
  for (var c = lane; c < end; c += LANES) { part += select(vec4f(), x[c], below(c, u.count)); }
  let sum = rowSum(total(part), l);
  if (row == 0u && lane == 0u) { y[0] = vec4f(sum, 0.0, 0.0, 0.0); }
}
