struct Uniforms { rows: u32, gates: u32, size: u32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read_write> sums: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> gate: array<f32>;
@group(0) @binding(3) var<storage, read_write> d: array<f32>;
fn total(x: vec4f) -> f32 { return (x.x + x.y) + (x.z + x.w); }
fn boundedTanh(x: f32) -> f32 { return select(tanh(clamp(x, -15.0, 15.0)), x, (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u); }
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
  let end = select(0u, u.size, row < u.gates);
  for (var c = lane; c < end; c += LANES) { part += sums[row * u.size + c]; }
  let sum = rowSum(total(part), l);
  if (lane == 0u && row < u.rows) {
    if (row < u.gates) {
      let t = boundedTanh(gate[row]);
      let slope = (1.0 - t) * (1.0 + t);
      d[row] = slope * sum;
    } else {
      d[row] = 0.0;
    }
  }
}
