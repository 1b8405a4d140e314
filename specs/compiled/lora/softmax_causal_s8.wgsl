enable subgroups;
struct Uniforms { rows: u32, stride: u32, keys: u32, prefix: u32, frontStride: u32, queries: u32, perBatch: u32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read_write> scores: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> positions: array<u32>;
@group(0) @binding(3) var<storage, read_write> p: array<vec4f>;
fn decay(x: vec4f) -> vec4f { return select(exp(x), vec4f(), x < vec4f(-87.0)); }
fn decayOne(x: f32) -> f32 { return select(exp(x), 0.0, x < -87.0); }
fn total(x: vec4f) -> f32 { return (x.x + x.y) + (x.z + x.w); }
fn largest(x: vec4f) -> f32 { return max(max(x.x, x.y), max(x.z, x.w)); }
fn below(c: u32, count: u32) -> vec4<bool> { return vec4u(0u, 1u, 2u, 3u) + 4u * c < vec4u(count); }
const LANES = 8u;
fn rowSum(x: f32, l: u32) -> f32 { return subgroupAdd(x); }
fn rowMax(x: f32, l: u32) -> f32 { return subgroupMax(x); }
@compute @workgroup_size(32)
fn main(@builtin(local_invocation_index) l: u32, @builtin(workgroup_id) wg: vec3u) {
  let row = (wg.y * 65535u + wg.x) * 4u + l / LANES;
  let lane = l % LANES;
  let live = row < u.rows;
  let r = min(row, u.rows - 1u);
  let start = r * u.stride;
  let seen = select(0u, min(u.keys, positions[r / u.perBatch * u.queries + r % u.queries] + 1u), live);
  var top = -1e30;
  var sum = 0.0;
  for (var c = lane; c < (seen + 3u) / 4u; c += LANES) {
    let x = select(vec4f(-1e30), scores[start + c], below(c, seen));
    let higher = max(top, largest(x));
    sum = sum * decayOne(top - higher) + total(decay(x - higher));
    top = higher;
  }
  let peak = rowMax(top, l);
  let whole = rowSum(sum * decayOne(top - peak), l);
  let scale = 1.0 / whole;
  {
    let end = (seen + 3u) / 4u;
    var c = lane;
    for (; c < end; c += LANES) {
      p[start + c] = select(vec4f(), decay(scores[start + c] - peak) * scale, below(c, seen));
    }
    for (; c < select(0u, u.stride, live); c += LANES) { p[start + c] = vec4f(); }
  }
}
