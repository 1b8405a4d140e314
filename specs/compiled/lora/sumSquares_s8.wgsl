enable subgroups;
struct Uniforms { count: u32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read_write> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
fn total(x: vec4f) -> f32 { return (x.x + x.y) + (x.z + x.w); }
const LANES = 8u;
fn rowSum(x: f32, l: u32) -> f32 { return subgroupAdd(x); }
@compute @workgroup_size(32)
fn main(@builtin(local_invocation_index) l: u32, @builtin(workgroup_id) wg: vec3u) {
  let row = (wg.y * 65535u + wg.x) * 4u + l / LANES;
  let lane = l % LANES;
  var part = vec4f();
  for (var c = row * LANES + lane; c < u.count; c += 256u * LANES) {
    let v = x[c];
    part += v * v;
  }
  let sum = rowSum(total(part), l);
  if (lane == 0u) { y[row] = sum; }
}
