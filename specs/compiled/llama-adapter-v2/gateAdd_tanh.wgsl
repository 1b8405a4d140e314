struct Uniforms { rows: u32, columns: u32, lanes: u32, run: u32, hop: u32, reps: u32, size: u32, constant: f32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read_write> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> gate: array<f32>;
@group(0) @binding(4) var<storage, read_write> z: array<vec4f>;
fn boundedTanh(x: f32) -> f32 { return select(tanh(clamp(x, -15.0, 15.0)), x, (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u); }
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) l: u32, @builtin(workgroup_id) wg: vec3u) {
  let thread = wg.x * 64u + l;
  if (thread >= u.lanes) { return; }
  let c = thread % u.columns;
  let first = thread / u.columns * u.run;
  let factor = boundedTanh(gate[c / u.size]);
  for (var k = 0u; k < u.reps; k++) {
    let row = first + k * u.hop;
    if (row >= u.rows) { break; }
    let i = row * u.columns + c;
    z[i] = x[i] + factor * y[i];
  }
}
