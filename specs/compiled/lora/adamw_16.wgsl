struct Uniforms { count: u32, run: u32, hop: u32, reps: u32, bias: u32, beta1: f32, rest1: f32, beta2: f32, rest2: f32, eps: f32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read_write> p: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> g: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> v: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> blocks: array<vec2f>;
@group(0) @binding(6) var<storage, read_write> norm: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> step: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) l: u32, @builtin(workgroup_id) wg: vec3u) {
  let first = (wg.x * 64u + l) * u.run;
  let health = norm[0];
  let lr = step[1];
  let bias1 = step[u.bias];
  let bias2 = step[u.bias + 1u];
  for (var k = 0u; k < u.reps; k++) {
    let i = first + k * u.hop;
    if (i >= u.count) { break; }
    if (health.z != 1.0) { break; }
    let block = blocks[i * 16u / 16u];
    let rate = lr * block.x;
    for (var j = i * 16u; j < (i + 1u) * 16u; j++) {
      let d = g[j] * health.y;
      let m1 = u.beta1 * m[j] + u.rest1 * d;
      let v1 = u.beta2 * v[j] + u.rest2 * d * d;
      m[j] = m1;
      v[j] = v1;
      p[j] = p[j] * (1.0 - rate * block.y) - rate * bias1 * m1 / (sqrt(v1 * bias2) + u.eps);
    }
  }
}
