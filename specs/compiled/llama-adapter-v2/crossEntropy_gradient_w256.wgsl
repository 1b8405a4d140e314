struct Uniforms { rows: u32, stride: u32, vocab: u32, losses: u32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read_write> logits: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> labels: array<u32>;
@group(0) @binding(3) var<storage, read_write> step: array<f32>;
@group(0) @binding(4) var<storage, read_write> rowLoss: array<f32>;
@group(0) @binding(5) var<storage, read_write> dLogits: array<vec4f>;
fn decay(x: vec4f) -> vec4f { return select(exp(x), vec4f(), x < vec4f(-87.0)); }
fn decayOne(x: f32) -> f32 { return select(exp(x), 0.0, x < -87.0); }
fn total(x: vec4f) -> f32 { return (x.x + x.y) + (x.z + x.w); }
fn largest(x: vec4f) -> f32 { return max(max(x.x, x.y), max(x.z, x.w)); }
fn below(c: u32, count: u32) -> vec4<bool> { return vec4u(0u, 1u, 2u, 3u) + 4u * c < vec4u(count); }
const LANES = 256u;
var<workgroup> rowSumTree: array<f32, 256>;
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
var<workgroup> rowMaxTree: array<f32, 256>;
fn rowMax(x: f32, l: u32) -> f32 {
  rowMaxTree[l] = x;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half >>= 1u) {
    if (l % LANES < half) { rowMaxTree[l] = max(rowMaxTree[l], rowMaxTree[l + half * 1u]); }
    workgroupBarrier();
  }
  let result = rowMaxTree[l / LANES * LANES];
  workgroupBarrier();
  return result;
}
@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) l: u32, @builtin(workgroup_id) wg: vec3u) {
  let row = (wg.y * 65535u + wg.x) * 1u + l / LANES;
  let lane = l % LANES;
  let live = row < u.rows;
  let r = min(row, u.rows - 1u);
  let start = r * u.stride;
  let label = labels[r];
  let counts = live && label != 4294967295u;
  let seen = select(0u, u.vocab, counts);
  let lossScale = step[0];
  var top = -1e30;
  var sum = 0.0;
  for (var c = lane; c < (seen + 3u) / 4u; c += LANES) {
    let x = select(vec4f(-1e30), logits[start + c], below(c, seen));
    let higher = max(top, largest(x));
    sum = sum * decayOne(top - higher) + total(decay(x - higher));
    top = higher;
  }
  let peak = rowMax(top, l);
  let whole = rowSum(sum * decayOne(top - peak), l);
  if (lane == 0u && row < u.losses) {
    var loss = 0.0;
    if (counts) { loss = lossScale * (peak + log(whole) - logits[start + label / 4u][label % 4u]); }
    rowLoss[row] = loss;
  }
  let scale = lossScale / whole;
  for (var c = lane; c < select(0u, u.stride, live); c += LANES) {
    var d = vec4f();
    if (c < (seen + 3u) / 4u) {
      let hot = vec4u(0u, 1u, 2u, 3u) + 4u * c == vec4u(label);
      d = decay(logits[start + c] - peak) * scale - select(vec4f(), vec4f(lossScale), hot);
      d = select(vec4f(), d, below(c, seen));
    }
    dLogits[start + c] = d;
  }
}
