import fc from 'fast-check';
import { linearGrid, splitRows } from './check';

test('a grid has an invocation for every element, and no axis beyond 65,535', () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 31 }), fc.constantFrom(1, 64), (count, perGroup) => {
    const [x, y, z] = linearGrid(count, perGroup);
    expect(x * y * z * perGroup).toBeGreaterThanOrEqual(count);
    expect(x).toBeLessThanOrEqual(65535);
    expect(y).toBeLessThanOrEqual(65535);
    if (y > 1) expect(x).toBe(65535); // shaders count on it
  }));
});

test('rows are split without gap or overlap, within the budget where one group fits into it', () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 300_000 }), fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 1e7, max: 1e12 }), fc.constantFrom(1, 32), (rows, workPerRow, budget, perGroup) => {
    const parts = splitRows(rows, workPerRow, budget, perGroup);
    fc.pre(parts.length < 500);
    let next = 0;
    for (const part of parts) {
      expect([part.firstRow, part.firstRow % perGroup]).toEqual([next, 0]);
      expect(part.rows * workPerRow <= budget || part.rows <= perGroup).toBe(true);
      expect(Math.ceil(part.rows / perGroup)).toBeLessThanOrEqual(65535);
      next += part.rows;
    }
    expect(next).toBe(rows);
  }));
});
