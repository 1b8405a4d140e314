struct Product { m: u32, n: u32, k: u32, mv: u32, nv: u32, kv: u32, inner: u32, share: u32, reps: u32, flags: u32, aOffset: u32, aRow: u32, aOuter: u32, aInner: u32, bOffset: u32, bRow: u32, bOuter: u32, bInner: u32, cOffset: u32, cRow: u32, cOuter: u32, cInner: u32, alpha: f32 }
@group(0) @binding(0) var<uniform> p: Product;
@group(0) @binding(1) var<storage, read_write> a: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> b: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> c: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> bias: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> scale: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> extra: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> saved: array<vec4f>;
var<workgroup> aTile: array<vec4f, 128>;
var<workgroup> bTile: array<vec4f, 128>;

@compute @workgroup_size(8, 8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let rows0 = group.y * 32u;
  let columns0 = group.x * 32u;

  let outer = group.z / p.inner;
  let within = group.z % p.inner;
  let aStart = p.aOffset + outer * p.aOuter + within * p.reps * p.aInner;
  let bStart = p.bOffset + outer * p.bOuter + within * p.reps * p.bInner;
  let cStart = p.cOffset + outer * p.cOuter + within * p.cInner;
  var s0 = vec4f();
  var s1 = vec4f();
  var s2 = vec4f();
  var s3 = vec4f();
  for (var rep = 0u; rep < p.reps; rep++) {
    let aBase = aStart + rep * p.aInner;
    let bBase = bStart + rep * p.bInner;
    for (var block = 0u; block < p.kv; block += 4u) {
      {
      let k = block * 4u + index / 8u;
      let at = aBase + min(k, p.k - 1u) * p.aRow + min(rows0 / 4u + index % 8u, p.mv - 1u);
      aTile[index] = select(vec4f(), a[at], k < p.k);
      }
      {
      let k = block * 4u + index / 8u;
      let at = bBase + min(k, p.k - 1u) * p.bRow + min(columns0 / 4u + index % 8u, p.nv - 1u);
      bTile[index] = select(vec4f(), b[at], k < p.k);
      }
      {
      let k = block * 4u + (index + 64u) / 8u;
      let at = aBase + min(k, p.k - 1u) * p.aRow + min(rows0 / 4u + (index + 64u) % 8u, p.mv - 1u);
      aTile[(index + 64u)] = select(vec4f(), a[at], k < p.k);
      }
      {
      let k = block * 4u + (index + 64u) / 8u;
      let at = bBase + min(k, p.k - 1u) * p.bRow + min(columns0 / 4u + (index + 64u) % 8u, p.nv - 1u);
      bTile[(index + 64u)] = select(vec4f(), b[at], k < p.k);
      }
      workgroupBarrier();
      for (var d = 0u; d < 4u; d++) {
        let a0 = aTile[(d * 4u + 0u) * 8u + local.y];
        let a1 = aTile[(d * 4u + 1u) * 8u + local.y];
        let a2 = aTile[(d * 4u + 2u) * 8u + local.y];
        let a3 = aTile[(d * 4u + 3u) * 8u + local.y];
        let w0 = bTile[(d * 4u + 0u) * 8u + local.x];
        let w1 = bTile[(d * 4u + 1u) * 8u + local.x];
        let w2 = bTile[(d * 4u + 2u) * 8u + local.x];
        let w3 = bTile[(d * 4u + 3u) * 8u + local.x];
        s0 += a0.x * w0;
        s0 += a1.x * w1;
        s0 += a2.x * w2;
        s0 += a3.x * w3;
        s1 += a0.y * w0;
        s1 += a1.y * w1;
        s1 += a2.y * w2;
        s1 += a3.y * w3;
        s2 += a0.z * w0;
        s2 += a1.z * w1;
        s2 += a2.z * w2;
        s2 += a3.z * w3;
        s3 += a0.w * w0;
        s3 += a1.w * w1;
        s3 += a2.w * w2;
        s3 += a3.w * w3;
      }
      workgroupBarrier();
    }
  }
  let row0 = rows0 + local.y * 4u;
  let column = group.x * 8u + local.x;
  if (column < p.nv && row0 < p.m) {
    let start = cStart + row0 * p.cRow + column;

    var added = vec4f();
    var factor = vec4f(1.0);
    if ((p.flags & 1u) != 0u) { added = bias[column]; }
    if ((p.flags & 2u) != 0u) { factor = scale[column]; }
    let keep = select(vec4f(1.0), factor, (p.flags & 32u) != 0u);
    for (var i = 0u; i < min(4u, p.m - row0); i++) {
      let at = start + i * p.cRow;
      var sum = s0;
      sum = select(sum, s1, i == 1u);
      sum = select(sum, s2, i == 2u);
      sum = select(sum, s3, i == 3u);
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
