// AssemblyScript. One step on one leaf; the same numbers whatever the parts. `norm` is the squared norm of all gradients, read if maxNorm > 0.
import { at, madd, madd1, nmadd, share, splat } from '../../devices/wasm/math.wasm';

export function adamW(p: usize, g: usize, m: usize, v: usize, norm: usize, count: i32, rate: f32, beta1: f32, rest1: f32, beta2: f32, rest2: f32, epsilon: f32, shrink: f32, correction1: f32, correction2: f32, clipped: i32, maxNorm: f32, part: i32, parts: i32): void {
  const clip = clipped ? min<f32>(1, maxNorm / (sqrt(load<f32>(norm)) + 1e-6)) : 1;
  let i = share(count, part, parts);
  const end = share(count, part + 1, parts);
  for (; i + 4 <= end; i += 4) {
    const gradient = f32x4.mul(v128.load(at(g, i)), splat(clip));
    const first = madd(splat(rest1), gradient, f32x4.mul(splat(beta1), v128.load(at(m, i))));
    const second = madd(f32x4.mul(splat(rest2), gradient), gradient, f32x4.mul(splat(beta2), v128.load(at(v, i))));
    const step = f32x4.div(f32x4.div(first, splat(correction1)), f32x4.add(f32x4.sqrt(f32x4.div(second, splat(correction2))), splat(epsilon)));
    v128.store(at(m, i), first);
    v128.store(at(v, i), second);
    v128.store(at(p, i), nmadd(splat(rate), step, f32x4.mul(v128.load(at(p, i)), splat(shrink))));
  }
  for (; i < end; i++) {
    const gradient = load<f32>(at(g, i)) * clip;
    const first = madd1(rest1, gradient, beta1 * load<f32>(at(m, i)));
    const second = madd1(rest2 * gradient, gradient, beta2 * load<f32>(at(v, i)));
    const step = first / correction1 / (sqrt(second / correction2) + epsilon);
    store<f32>(at(m, i), first);
    store<f32>(at(v, i), second);
    store<f32>(at(p, i), madd1(-rate, step, load<f32>(at(p, i)) * shrink));
  }
}
