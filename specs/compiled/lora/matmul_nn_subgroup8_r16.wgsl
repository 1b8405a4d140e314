enable subgroups;
struct Product { m: u32, n: u32, k: u32, mv: u32, nv: u32, kv: u32, inner: u32, share: u32, reps: u32, flags: u32, aOffset: u32, aRow: u32, aOuter: u32, aInner: u32, bOffset: u32, bRow: u32, bOuter: u32, bInner: u32, cOffset: u32, cRow: u32, cOuter: u32, cInner: u32, alpha: f32 }
@group(0) @binding(0) var<uniform> p: Product;
@group(0) @binding(1) var<storage, read_write> a: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> b: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> c: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> bias: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> scale: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> extra: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> saved: array<vec4f>;

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let column = group.x * 8u + lane;
  let row0 = group.y * 16u;

  let outer = group.z / p.inner;
  let within = group.z % p.inner;
  let aStart = p.aOffset + outer * p.aOuter + within * p.aInner;
  let bStart = p.bOffset + outer * p.bOuter + (within / p.share) * p.bInner;
  let cStart = p.cOffset + outer * p.cOuter + within * p.cInner;
  var s0 = vec4f();
  var s1 = vec4f();
  var s2 = vec4f();
  var s3 = vec4f();
  var s4 = vec4f();
  var s5 = vec4f();
  var s6 = vec4f();
  var s7 = vec4f();
  var s8 = vec4f();
  var s9 = vec4f();
  var s10 = vec4f();
  var s11 = vec4f();
  var s12 = vec4f();
  var s13 = vec4f();
  var s14 = vec4f();
  var s15 = vec4f();
  for (var rep = 0u; rep < p.reps; rep++) {
    let aBase = aStart + rep * p.aInner;
    let bBase = bStart + rep * p.bInner;
    let aRow0 = aBase + min(row0 + lane + 0u, p.m - 1u) * p.aRow;
    let aRow1 = aBase + min(row0 + lane + 8u, p.m - 1u) * p.aRow;
    let bAt = bBase + min(column, p.nv - 1u);
    for (var step = 0u; step < (p.k + 3u) / 4u; step++) {
      let a0 = a[aRow0 + step];
      let a1 = a[aRow1 + step];
      {
      let w0 = b[bAt + min(step * 4u + 0u, p.k - 1u) * p.bRow];
      let w1 = b[bAt + min(step * 4u + 1u, p.k - 1u) * p.bRow];
      let w2 = b[bAt + min(step * 4u + 2u, p.k - 1u) * p.bRow];
      let w3 = b[bAt + min(step * 4u + 3u, p.k - 1u) * p.bRow];
      s0 += subgroupBroadcast(a0.x, 0u) * w0;
      s0 += subgroupBroadcast(a0.y, 0u) * w1;
      s0 += subgroupBroadcast(a0.z, 0u) * w2;
      s0 += subgroupBroadcast(a0.w, 0u) * w3;
      s1 += subgroupBroadcast(a0.x, 1u) * w0;
      s1 += subgroupBroadcast(a0.y, 1u) * w1;
      s1 += subgroupBroadcast(a0.z, 1u) * w2;
      s1 += subgroupBroadcast(a0.w, 1u) * w3;
      s2 += subgroupBroadcast(a0.x, 2u) * w0;
      s2 += subgroupBroadcast(a0.y, 2u) * w1;
      s2 += subgroupBroadcast(a0.z, 2u) * w2;
      s2 += subgroupBroadcast(a0.w, 2u) * w3;
      s3 += subgroupBroadcast(a0.x, 3u) * w0;
      s3 += subgroupBroadcast(a0.y, 3u) * w1;
      s3 += subgroupBroadcast(a0.z, 3u) * w2;
      s3 += subgroupBroadcast(a0.w, 3u) * w3;
      s4 += subgroupBroadcast(a0.x, 4u) * w0;
      s4 += subgroupBroadcast(a0.y, 4u) * w1;
      s4 += subgroupBroadcast(a0.z, 4u) * w2;
      s4 += subgroupBroadcast(a0.w, 4u) * w3;
      s5 += subgroupBroadcast(a0.x, 5u) * w0;
      s5 += subgroupBroadcast(a0.y, 5u) * w1;
      s5 += subgroupBroadcast(a0.z, 5u) * w2;
      s5 += subgroupBroadcast(a0.w, 5u) * w3;
      s6 += subgroupBroadcast(a0.x, 6u) * w0;
      s6 += subgroupBroadcast(a0.y, 6u) * w1;
      s6 += subgroupBroadcast(a0.z, 6u) * w2;
      s6 += subgroupBroadcast(a0.w, 6u) * w3;
      s7 += subgroupBroadcast(a0.x, 7u) * w0;
      s7 += subgroupBroadcast(a0.y, 7u) * w1;
      s7 += subgroupBroadcast(a0.z, 7u) * w2;
      s7 += subgroupBroadcast(a0.w, 7u) * w3;
      s8 += subgroupBroadcast(a1.x, 0u) * w0;
      s8 += subgroupBroadcast(a1.y, 0u) * w1;
      s8 += subgroupBroadcast(a1.z, 0u) * w2;
      s8 += subgroupBroadcast(a1.w, 0u) * w3;
      s9 += subgroupBroadcast(a1.x, 1u) * w0;
      s9 += subgroupBroadcast(a1.y, 1u) * w1;
      s9 += subgroupBroadcast(a1.z, 1u) * w2;
      s9 += subgroupBroadcast(a1.w, 1u) * w3;
      s10 += subgroupBroadcast(a1.x, 2u) * w0;
      s10 += subgroupBroadcast(a1.y, 2u) * w1;
      s10 += subgroupBroadcast(a1.z, 2u) * w2;
      s10 += subgroupBroadcast(a1.w, 2u) * w3;
      s11 += subgroupBroadcast(a1.x, 3u) * w0;
      s11 += subgroupBroadcast(a1.y, 3u) * w1;
      s11 += subgroupBroadcast(a1.z, 3u) * w2;
      s11 += subgroupBroadcast(a1.w, 3u) * w3;
      s12 += subgroupBroadcast(a1.x, 4u) * w0;
      s12 += subgroupBroadcast(a1.y, 4u) * w1;
      s12 += subgroupBroadcast(a1.z, 4u) * w2;
      s12 += subgroupBroadcast(a1.w, 4u) * w3;
      s13 += subgroupBroadcast(a1.x, 5u) * w0;
      s13 += subgroupBroadcast(a1.y, 5u) * w1;
      s13 += subgroupBroadcast(a1.z, 5u) * w2;
      s13 += subgroupBroadcast(a1.w, 5u) * w3;
      s14 += subgroupBroadcast(a1.x, 6u) * w0;
      s14 += subgroupBroadcast(a1.y, 6u) * w1;
      s14 += subgroupBroadcast(a1.z, 6u) * w2;
      s14 += subgroupBroadcast(a1.w, 6u) * w3;
      s15 += subgroupBroadcast(a1.x, 7u) * w0;
      s15 += subgroupBroadcast(a1.y, 7u) * w1;
      s15 += subgroupBroadcast(a1.z, 7u) * w2;
      s15 += subgroupBroadcast(a1.w, 7u) * w3;
      }
    }
  }
  if (column < p.nv && row0 < p.m) {
    let start = cStart + row0 * p.cRow + column;

    var added = vec4f();
    var factor = vec4f(1.0);
    if ((p.flags & 1u) != 0u) { added = bias[column]; }
    if ((p.flags & 2u) != 0u) { factor = scale[column]; }
    let keep = select(vec4f(1.0), factor, (p.flags & 32u) != 0u);
    for (var i = 0u; i < min(16u, p.m - row0); i++) {
      let at = start + i * p.cRow;
      var sum = s0;
      sum = select(sum, s1, i == 1u);
      sum = select(sum, s2, i == 2u);
      sum = select(sum, s3, i == 3u);
      sum = select(sum, s4, i == 4u);
      sum = select(sum, s5, i == 5u);
      sum = select(sum, s6, i == 6u);
      sum = select(sum, s7, i == 7u);
      sum = select(sum, s8, i == 8u);
      sum = select(sum, s9, i == 9u);
      sum = select(sum, s10, i == 10u);
      sum = select(sum, s11, i == 11u);
      sum = select(sum, s12, i == 12u);
      sum = select(sum, s13, i == 13u);
      sum = select(sum, s14, i == 14u);
      sum = select(sum, s15, i == 15u);
      sum *= p.alpha;

      sum += added;
      if ((p.flags & 48u) != 0u) { saved[at] = sum * keep; }
      sum *= factor;
      if ((p.flags & 12u) != 0u) {
        let x = extra[at];
        sum = select(sum + x, sum * x / (1.0 + exp(-x)), (p.flags & 8u) != 0u);
      }
      c[at] = sum;
    }
  }
}
