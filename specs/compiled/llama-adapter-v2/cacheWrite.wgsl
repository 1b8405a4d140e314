struct Uniforms { rows: u32, columns: u32, lanes: u32, run: u32, hop: u32, reps: u32, tokens: u32, context: u32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read_write> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> positions: array<u32>;
@group(0) @binding(3) var<storage, read_write> cache: array<vec4f>;
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) l: u32, @builtin(workgroup_id) wg: vec3u) {
  let thread = wg.x * 64u + l;
  if (thread >= u.lanes) { return; }
  let c = thread % u.columns;
  let first = thread / u.columns * u.run;

  for (var k = 0u; k < u.reps; k++) {
    let row = first + k * u.hop;
    if (row >= u.rows) { break; }
    let to = row / u.tokens * u.context + positions[row];
    cache[to * u.columns + c] = x[row * u.columns + c];
  }
}
