// AssemblyScript. A part owns tokens.
import { at, madd, nmadd, share, splat } from '../../devices/wasm/math.wasm';

export function rotary(x: usize, table: usize, positions: usize, y: usize, tokens: i32, heads: i32, headDim: i32, rows: i32, half: i32, turned: i32, sign: f32, part: i32, parts: i32): void {
  for (let token = share(tokens, part, parts), last = share(tokens, part + 1, parts); token < last; token++) {
    const position = load<u32>(at(positions, token)), known = position < <u32>rows;
    const cosines = at(table, known ? <i32>position * 2 * half : 0), sines = at(cosines, half);
    for (let head = 0; head < heads; head++) {
      const from = at(x, (token * heads + head) * headDim), to = at(y, (token * heads + head) * headDim);
      let i = 0;
      if (head < turned) {
        const from2 = at(from, half), to2 = at(to, half);
        if (known) {
          for (; i + 4 <= half; i += 4) {
            const a = v128.load(at(from, i)), b = v128.load(at(from2, i)), c = v128.load(at(cosines, i)), s = f32x4.mul(splat(sign), v128.load(at(sines, i)));
            v128.store(at(to, i), nmadd(b, s, f32x4.mul(a, c)));
            v128.store(at(to2, i), madd(a, s, f32x4.mul(b, c)));
          }
        }
        for (; i < half; i++) {
          const a = load<f32>(at(from, i)), b = load<f32>(at(from2, i)), c: f32 = known ? load<f32>(at(cosines, i)) : NaN, s: f32 = known ? sign * load<f32>(at(sines, i)) : NaN;
          store<f32>(at(to, i), a * c - b * s);
          store<f32>(at(to2, i), b * c + a * s);
        }
        i = 2 * half;
      }
      memory.copy(at(to, i), at(from, i), <usize>(headDim - i) << 2);
    }
  }
}
