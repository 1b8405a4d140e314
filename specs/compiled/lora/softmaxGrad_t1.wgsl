struct Uniforms { rows: u32, stride: u32, keys: u32, prefix: u32, frontStride: u32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read_write> dp: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> p: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> ds: array<vec4f>;
fn total(x: vec4f) -> f32 { return (x.x + x.y) + (x.z + x.w); }
fn below(c: u32, count: u32) -> vec4<bool> { return vec4u(0u, 1u, 2u, 3u) + 4u * c < vec4u(count); }
const LANES = 1u;
fn rowSum(x: f32, l: u32) -> f32 { return x; }
@compute @workgroup_size(32)
fn main(@builtin(local_invocation_index) l: u32, @builtin(workgroup_id) wg: vec3u) {
  let row = (wg.y * 65535u + wg.x) * 32u + l / LANES;
  let lane = l % LANES;
  let live = row < u.rows;
  let r = min(row, u.rows - 1u);
  let start = r * u.stride;
  let seen = select(0u, u.keys, live);
  var part = vec4f();
  for (var c = lane; c < (seen + 3u) / 4u; c += LANES) {
    part += select(vec4f(), dp[start + c] * p[start + c], below(c, seen));
  }
  let mean = rowSum(total(part), l);
  for (var c = lane; c < select(0u, u.stride, live); c += LANES) {
    ds[start + c] = select(vec4f(), p[start + c] * (dp[start + c] - mean), below(c, seen));
  }
}
