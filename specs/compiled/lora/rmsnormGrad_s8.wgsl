enable subgroups;
struct Uniforms { rows: u32, stride: u32, perNumber: f32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read_write> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> x: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> w: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> inverses: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<vec4f>;
fn total(x: vec4f) -> f32 { return (x.x + x.y) + (x.z + x.w); }
const LANES = 8u;
fn rowSum(x: f32, l: u32) -> f32 { return subgroupAdd(x); }
@compute @workgroup_size(32)
fn main(@builtin(local_invocation_index) l: u32, @builtin(workgroup_id) wg: vec3u) {
  let row = (wg.y * 65535u + wg.x) * 4u + l / LANES;
  let lane = l % LANES;
  let live = row < u.rows;
  let r = min(row, u.rows - 1u);
  let start = r * u.stride;
  let end = select(0u, u.stride, live);
  var part = vec4f();
  for (var c = lane; c < end; c += LANES) { part += w[c] * dy[start + c] * x[start + c]; }
  let inverse = inverses[r];
  let pull = rowSum(total(part), l) * u.perNumber * inverse * inverse;
  for (var c = lane; c < end; c += LANES) {
    dx[start + c] = inverse * (w[c] * dy[start + c] - x[start + c] * pull);
  }
}
