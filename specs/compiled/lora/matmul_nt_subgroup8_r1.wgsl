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
  let row0 = group.y * 1u;

  let outer = group.z / p.inner;
  let within = group.z % p.inner;
  let aStart = p.aOffset + outer * p.aOuter + within * p.aInner;
  let bStart = p.bOffset + outer * p.bOuter + (within / p.share) * p.bInner;
  let cStart = p.cOffset + outer * p.cOuter + within * p.cInner;
  var s0 = vec4f();
  for (var rep = 0u; rep < p.reps; rep++) {
    let aBase = aStart + rep * p.aInner;
    let bBase = bStart + rep * p.bInner;
    let aRow0 = aBase + min(row0 + lane % 1u, p.m - 1u) * p.aRow;
    let bRow0 = bBase + min(column * 4u + 0u, p.n - 1u) * p.bRow;
    let bRow1 = bBase + min(column * 4u + 1u, p.n - 1u) * p.bRow;
    let bRow2 = bBase + min(column * 4u + 2u, p.n - 1u) * p.bRow;
    let bRow3 = bBase + min(column * 4u + 3u, p.n - 1u) * p.bRow;
    for (var step = 0u; step < (p.k + 7u) / 8u; step++) {
      let kv = step * 2u + lane / 1u % 2u;
      let a0 = select(vec4f(), a[aRow0 + min(kv, p.kv - 1u)], kv < p.kv);
      {
      let kb = min((step * 2u + 0u), p.kv - 1u);
      let b0 = b[bRow0 + kb];
      let b1 = b[bRow1 + kb];
      let b2 = b[bRow2 + kb];
      let b3 = b[bRow3 + kb];
      let w0 = vec4f(b0.x, b1.x, b2.x, b3.x);
      let w1 = vec4f(b0.y, b1.y, b2.y, b3.y);
      let w2 = vec4f(b0.z, b1.z, b2.z, b3.z);
      let w3 = vec4f(b0.w, b1.w, b2.w, b3.w);
      s0 += subgroupBroadcast(a0.x, 0u) * w0;
      s0 += subgroupBroadcast(a0.y, 0u) * w1;
      s0 += subgroupBroadcast(a0.z, 0u) * w2;
      s0 += subgroupBroadcast(a0.w, 0u) * w3;
      }
      {
      let kb = min((step * 2u + 1u), p.kv - 1u);
      let b0 = b[bRow0 + kb];
      let b1 = b[bRow1 + kb];
      let b2 = b[bRow2 + kb];
      let b3 = b[bRow3 + kb];
      let w0 = vec4f(b0.x, b1.x, b2.x, b3.x);
      let w1 = vec4f(b0.y, b1.y, b2.y, b3.y);
      let w2 = vec4f(b0.z, b1.z, b2.z, b3.z);
      let w3 = vec4f(b0.w, b1.w, b2.w, b3.w);
      s0 += subgroupBroadcast(a0.x, 1u) * w0;
      s0 += subgroupBroadcast(a0.y, 1u) * w1;
      s0 += subgroupBroadcast(a0.z, 1u) * w2;
      s0 += subgroupBroadcast(a0.w, 1u) * w3;
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
    for (var i = 0u; i < min(1u, p.m - row0); i++) {
      let at = start + i * p.cRow;
      var sum = s0;
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
