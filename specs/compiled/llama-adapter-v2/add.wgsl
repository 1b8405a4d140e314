struct Uniforms { count: u32, run: u32, hop: u32, reps: u32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read_write> a: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> b: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) l: u32, @builtin(workgroup_id) wg: vec3u) {
  let first = (wg.x * 64u + l) * u.run;

  for (var k = 0u; k < u.reps; k++) {
    let i = first + k * u.hop;
    if (i >= u.count) { break; }
    y[i] = a[i] + b[i];
  }
}
