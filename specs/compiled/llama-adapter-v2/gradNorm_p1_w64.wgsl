struct Uniforms { first: u32, last: u32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read_write> p0: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> step: array<f32>;
@group(0) @binding(3) var<storage, read_write> norm: array<vec4f>;
fn total(x: vec4f) -> f32 { return (x.x + x.y) + (x.z + x.w); }
fn isFinite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) < 0x7f800000u; }
const LANES = 64u;
var<workgroup> rowSumTree: array<f32, 64>;
fn rowSum(x: f32, l: u32) -> f32 {
  rowSumTree[l] = x;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half >>= 1u) {
    if (l % LANES < half) { rowSumTree[l] = rowSumTree[l] + rowSumTree[l + half * 1u]; }
    workgroupBarrier();
  }
  let result = rowSumTree[l / LANES * LANES];
  workgroupBarrier();
  return result;
}
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) l: u32, @builtin(workgroup_id) wg: vec3u) {
  let row = (wg.y * 65535u + wg.x) * 1u + l / LANES;
  let lane = l % LANES;
  var part = vec4f();
  let end = select(0u, 64u, row == 0u);
  for (var c = lane; c < end; c += LANES) { part += p0[c]; }
  let sum = rowSum(total(part), l);
  if (row == 0u && lane == 0u) {
    var squares = sum;
    if (u.first == 0u) { squares += norm[0].w; }
    var result = vec4f(0.0, 0.0, 0.0, squares);
    if (u.last == 1u) {
      let length = sqrt(squares);
      let bound = step[2];
      let clip = select(1.0, min(1.0, bound / (length + 1e-6)), bound > 0.0);
      result = vec4f(length, clip, select(0.0, 1.0, isFinite(length)), 0.0);
    }
    norm[0] = result;
  }
}
