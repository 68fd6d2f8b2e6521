// AssemblyScript. A part owns rows; its loss and count go to partial sums in f64, which sumPartials adds in order.
import { at, exp1, expBounded4, largest, log1, share, splat, total } from '../../devices/wasm/math.wasm';

/** The largest logit; pmax loses NaN, but is one instruction where max is eight, and the sum of exponentials keeps NaN. */
@inline function topOf(x: usize, classes: i32): f32 {
  let maxima = splat(-Infinity);
  let i = 0;
  for (; i + 4 <= classes; i += 4) maxima = f32x4.pmax(maxima, v128.load(at(x, i)));
  let top = largest(maxima);
  for (; i < classes; i++) top = max(top, load<f32>(at(x, i)));
  return top;
}

/** Σ e^(x - top). */
@inline function sumExp(x: usize, classes: i32, top: f32): f32 {
  let sums = splat(0);
  let i = 0;
  for (; i + 4 <= classes; i += 4) sums = f32x4.add(sums, expBounded4(f32x4.sub(v128.load(at(x, i)), splat(top))));
  let sum = total(sums);
  for (; i < classes; i++) sum += exp1(load<f32>(at(x, i)) - top);
  return sum;
}

/** partial [part, 2] takes Σ (logSumExp - logit of the label) and the number of rows that count. A label outside the classes makes it NaN. */
export function crossEntropyPartial(logits: usize, labels: usize, partial: usize, rows: i32, classes: i32, ignoreIndex: i32, part: i32, parts: i32): void {
  let sum: f64 = 0, count: f64 = 0;
  for (let row = share(rows, part, parts), last = share(rows, part + 1, parts); row < last; row++) {
    const label = load<i32>(at(labels, row)), from = at(logits, row * classes);
    if (label == ignoreIndex) continue;
    const target: f64 = label >= 0 && label < classes ? load<f32>(at(from, label)) : NaN;
    const top = topOf(from, classes);
    sum += <f64>top - target + log1(sumExp(from, classes, top));
    count += 1;
  }
  store<f64>(partial + (<usize>part << 4), sum);
  store<f64>(partial + (<usize>part << 4), count, 8);
}

/** dSum · (softmax - one at the label); zeros where the label is ignored. */
export function crossEntropyBackward(logits: usize, labels: usize, dSum: usize, d: usize, rows: i32, classes: i32, ignoreIndex: i32, part: i32, parts: i32): void {
  const weight = load<f32>(dSum);
  for (let row = share(rows, part, parts), last = share(rows, part + 1, parts); row < last; row++) {
    const label = load<i32>(at(labels, row)), from = at(logits, row * classes), to = at(d, row * classes);
    if (label == ignoreIndex) {
      memory.fill(to, 0, <usize>classes << 2);
      continue;
    }
    const top = topOf(from, classes), factor = weight / sumExp(from, classes, top);
    let i = 0;
    for (; i + 4 <= classes; i += 4) v128.store(at(to, i), f32x4.mul(splat(factor), expBounded4(f32x4.sub(v128.load(at(from, i)), splat(top)))));
    for (; i < classes; i++) store<f32>(at(to, i), factor * exp1(load<f32>(at(from, i)) - top));
    if (label >= 0 && label < classes) store<f32>(at(to, label), load<f32>(at(to, label)) - weight);
  }
}
