struct Uniforms { rows: u32, columns: u32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read_write> a: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> b: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;
const LANES = 64u;
var<workgroup> rowSum4Tree: array<vec4f, 256>;
fn rowSum4(x: vec4f, l: u32) -> vec4f {
  rowSum4Tree[l] = x;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half >>= 1u) {
    if (l / 4u < half) { rowSum4Tree[l] = rowSum4Tree[l] + rowSum4Tree[l + half * 4u]; }
    workgroupBarrier();
  }
  let result = rowSum4Tree[l % 4u];
  workgroupBarrier();
  return result;
}
@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) l: u32, @builtin(workgroup_id) wg: vec3u) {
  let row = (wg.y * 65535u + wg.x) * 4u + l % 4u;
  let lane = l / 4u;
  let live = row < u.columns;
  let column = min(row, u.columns - 1u);
  var part = vec4f();
  for (var r = lane; r < select(0u, u.rows, live); r += LANES) {
    let i = r * u.columns + column;
    part += a[i] * b[i];
  }
  let sum = rowSum4(part, l);
  if (lane == 0u && live) { y[column] = sum; }
}
