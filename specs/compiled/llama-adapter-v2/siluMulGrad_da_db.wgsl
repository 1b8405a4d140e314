struct Uniforms { count: u32, run: u32, hop: u32, reps: u32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read_write> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> a: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> b: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> da: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> db: array<vec4f>;
fn sigmoid(x: vec4f) -> vec4f { return 1.0 / (1.0 + exp(min(-x, vec4f(87.0)))); }
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) l: u32, @builtin(workgroup_id) wg: vec3u) {
  let first = (wg.x * 64u + l) * u.run;

  for (var k = 0u; k < u.reps; k++) {
    let i = first + k * u.hop;
    if (i >= u.count) { break; }
    let d = dy[i];
    let x = a[i];
    let s = sigmoid(x);
    da[i] = d * b[i] * s * (1.0 + x * (1.0 - s));
    db[i] = d * x * s;
  }
}
