struct Product { m: u32, n: u32, k: u32, mv: u32, nv: u32, kv: u32, inner: u32, share: u32, reps: u32, flags: u32, aOffset: u32, aRow: u32, aOuter: u32, aInner: u32, bOffset: u32, bRow: u32, bOuter: u32, bInner: u32, cOffset: u32, cRow: u32, cOuter: u32, cInner: u32, alpha: f32 }
@group(0) @binding(0) var<uniform> p: Product;
@group(0) @binding(1) var<storage, read_write> a: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> b: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> c: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> bias: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> scale: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> extra: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> saved: array<vec4f>;
var<workgroup> aTile: array<vec4f, 160>;
var<workgroup> bTile: array<vec4f, 160>;

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
  let aStart = p.aOffset + outer * p.aOuter + within * p.aInner;
  let bStart = p.bOffset + outer * p.bOuter + (within / p.share) * p.bInner;
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
      let row = index / 4u;
      let kv = block + index % 4u;
      let at = aBase + min(rows0 + row, p.m - 1u) * p.aRow + min(kv, p.kv - 1u);
      aTile[(row % 4u * 8u + row / 4u) * 5u + index % 4u] = select(vec4f(), a[at], kv < p.kv);
      }
      {
      let row = index / 4u;
      let kv = block + index % 4u;
      let at = bBase + min(columns0 + row, p.n - 1u) * p.bRow + min(kv, p.kv - 1u);
      bTile[(row % 4u * 8u + row / 4u) * 5u + index % 4u] = select(vec4f(), b[at], kv < p.kv);
      }
      {
      let row = (index + 64u) / 4u;
      let kv = block + (index + 64u) % 4u;
      let at = aBase + min(rows0 + row, p.m - 1u) * p.aRow + min(kv, p.kv - 1u);
      aTile[(row % 4u * 8u + row / 4u) * 5u + (index + 64u) % 4u] = select(vec4f(), a[at], kv < p.kv);
      }
      {
      let row = (index + 64u) / 4u;
      let kv = block + (index + 64u) % 4u;
      let at = bBase + min(columns0 + row, p.n - 1u) * p.bRow + min(kv, p.kv - 1u);
      bTile[(row % 4u * 8u + row / 4u) * 5u + (index + 64u) % 4u] = select(vec4f(), b[at], kv < p.kv);
      }
      workgroupBarrier();
      for (var d = 0u; d < 4u; d++) {
        let a0 = aTile[(0u + local.y) * 5u + d];
        let a1 = aTile[(8u + local.y) * 5u + d];
        let a2 = aTile[(16u + local.y) * 5u + d];
        let a3 = aTile[(24u + local.y) * 5u + d];
        let b0 = bTile[(0u + local.x) * 5u + d];
        let b1 = bTile[(8u + local.x) * 5u + d];
        let b2 = bTile[(16u + local.x) * 5u + d];
        let b3 = bTile[(24u + local.x) * 5u + d];
        let w0 = vec4f(b0.x, b1.x, b2.x, b3.x);
        let w1 = vec4f(b0.y, b1.y, b2.y, b3.y);
        let w2 = vec4f(b0.z, b1.z, b2.z, b3.z);
        let w3 = vec4f(b0.w, b1.w, b2.w, b3.w);
        s0 += a0.x * w0;
        s0 += a0.y * w1;
        s0 += a0.z * w2;
        s0 += a0.w * w3;
        s1 += a1.x * w0;
        s1 += a1.y * w1;
        s1 += a1.z * w2;
        s1 += a1.w * w3;
        s2 += a2.x * w0;
        s2 += a2.y * w1;
        s2 += a2.z * w2;
        s2 += a2.w * w3;
        s3 += a3.x * w0;
        s3 += a3.y * w1;
        s3 += a3.z * w2;
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
