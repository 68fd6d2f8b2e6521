// AssemblyScript. A part owns rows; the gradients of weight and bias are summed over the rows of a part first, then over parts in order.
import { at, madd, nmadd, share, splat, total } from '../../devices/wasm/math.wasm';

/**
 * Deviations are taken from a first, rounded mean and then corrected by their own mean: a row 500 deviations from zero would else lose five digits of its seven.
 * y = (x - mean) · inverse · weight + bias; statistics [rows, 2] takes mean and inverse.
 */
export function layerNorm(x: usize, weight: usize, bias: usize, y: usize, statistics: usize, rows: i32, width: i32, epsilon: f64, part: i32, parts: i32): void {
  const fours = width & ~3;
  for (let row = share(rows, part, parts), last = share(rows, part + 1, parts); row < last; row++) {
    const from = at(x, row * width), to = at(y, row * width);
    let sums = splat(0);
    for (let i = 0; i < fours; i += 4) sums = f32x4.add(sums, v128.load(at(from, i)));
    let sum = total(sums);
    for (let i = fours; i < width; i++) sum += load<f32>(at(from, i));
    const rough = sum / <f32>width;

    sums = splat(0);
    let squares = splat(0);
    for (let i = 0; i < fours; i += 4) {
      const deviation = f32x4.sub(v128.load(at(from, i)), splat(rough));
      sums = f32x4.add(sums, deviation);
      squares = madd(deviation, deviation, squares);
    }
    let first = <f64>total(sums), second = <f64>total(squares);
    for (let i = fours; i < width; i++) {
      const deviation = load<f32>(at(from, i)) - rough;
      first += deviation;
      second += deviation * deviation;
    }
    first /= <f64>width;
    const correction = <f32>first;
    const inverse = <f32>(1 / sqrt(max(0, second / <f64>width - first * first) + epsilon));

    let i = 0;
    for (; i < fours; i += 4) {
      const normal = f32x4.mul(f32x4.sub(f32x4.sub(v128.load(at(from, i)), splat(rough)), splat(correction)), splat(inverse));
      v128.store(at(to, i), madd(normal, v128.load(at(weight, i)), v128.load(at(bias, i))));
    }
    for (; i < width; i++) store<f32>(at(to, i), (load<f32>(at(from, i)) - rough - correction) * inverse * load<f32>(at(weight, i)) + load<f32>(at(bias, i)));
    store<f32>(at(statistics, 2 * row), <f32>(<f64>rough + first));
    store<f32>(at(statistics, 2 * row), inverse, 4);
  }
}

/** dX = inverse · (g - mean(g) - n · mean(g · n)) with g = d · weight and n the normalised row. */
export function layerNormBackward(x: usize, weight: usize, statistics: usize, d: usize, dX: usize, rows: i32, width: i32, part: i32, parts: i32): void {
  const fours = width & ~3;
  for (let row = share(rows, part, parts), last = share(rows, part + 1, parts); row < last; row++) {
    const from = at(x, row * width), dFrom = at(d, row * width), to = at(dX, row * width);
    const mean = load<f32>(at(statistics, 2 * row)), inverse = load<f32>(at(statistics, 2 * row), 4);
    let firsts = splat(0), seconds = splat(0);
    for (let i = 0; i < fours; i += 4) {
      const g = f32x4.mul(v128.load(at(dFrom, i)), v128.load(at(weight, i)));
      firsts = f32x4.add(firsts, g);
      seconds = madd(g, f32x4.mul(f32x4.sub(v128.load(at(from, i)), splat(mean)), splat(inverse)), seconds);
    }
    let first = total(firsts), second = total(seconds);
    for (let i = fours; i < width; i++) {
      const g = load<f32>(at(dFrom, i)) * load<f32>(at(weight, i));
      first += g;
      second += g * ((load<f32>(at(from, i)) - mean) * inverse);
    }
    first /= <f32>width;
    second /= <f32>width;
    let i = 0;
    for (; i < fours; i += 4) {
      const g = f32x4.mul(v128.load(at(dFrom, i)), v128.load(at(weight, i)));
      const normal = f32x4.mul(f32x4.sub(v128.load(at(from, i)), splat(mean)), splat(inverse));
      v128.store(at(to, i), f32x4.mul(splat(inverse), nmadd(normal, splat(second), f32x4.sub(g, splat(first)))));
    }
    for (; i < width; i++) {
      const g = load<f32>(at(dFrom, i)) * load<f32>(at(weight, i));
      store<f32>(at(to, i), inverse * (g - first - (load<f32>(at(from, i)) - mean) * inverse * second));
    }
  }
}

/** Sums of d · n and of d over the rows of one part → partial [part, 2, width]. */
export function layerNormParametersPartial(x: usize, statistics: usize, d: usize, partial: usize, rows: i32, width: i32, part: i32, parts: i32): void {
  const first = share(rows, part, parts), last = share(rows, part + 1, parts);
  const dWeight = at(partial, 2 * part * width), dBias = at(dWeight, width);
  memory.fill(dWeight, 0, <usize>width << 3);
  for (let row = first; row < last; row++) {
    const from = at(x, row * width), dFrom = at(d, row * width);
    const mean = load<f32>(at(statistics, 2 * row)), inverse = load<f32>(at(statistics, 2 * row), 4);
    let i = 0;
    for (; i + 4 <= width; i += 4) {
      const dOutput = v128.load(at(dFrom, i)), normal = f32x4.mul(f32x4.sub(v128.load(at(from, i)), splat(mean)), splat(inverse));
      v128.store(at(dWeight, i), madd(dOutput, normal, v128.load(at(dWeight, i))));
      v128.store(at(dBias, i), f32x4.add(v128.load(at(dBias, i)), dOutput));
    }
    for (; i < width; i++) {
      const dOutput = load<f32>(at(dFrom, i));
      store<f32>(at(dWeight, i), load<f32>(at(dWeight, i)) + dOutput * ((load<f32>(at(from, i)) - mean) * inverse));
      store<f32>(at(dBias, i), load<f32>(at(dBias, i)) + dOutput);
    }
  }
}

/** partial [partials, 2, width] → dWeight, dBias [width]. */
export function layerNormParameters(partial: usize, dWeight: usize, dBias: usize, partials: i32, width: i32, part: i32, parts: i32): void {
  for (let j = share(width, part, parts), end = share(width, part + 1, parts); j < end; j++) {
    let weight: f32 = 0, bias: f32 = 0;
    for (let i = 0; i < partials; i++) {
      weight += load<f32>(at(partial, 2 * i * width + j));
      bias += load<f32>(at(partial, (2 * i + 1) * width + j));
    }
    store<f32>(at(dWeight, j), weight);
    store<f32>(at(dBias, j), bias);
  }
}
