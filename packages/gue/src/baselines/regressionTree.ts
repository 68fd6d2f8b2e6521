/** Features as small whole numbers, column by column. */
export interface BinnedMatrix {
  readonly rows: number;
  readonly columns: number;
  /** `[columns, rows]` */
  readonly bins: Uint8Array;
  /** `[columns + 1]`: where the bins of each column begin in a histogram. Most columns have few. */
  readonly binStarts: Uint32Array;
}

/** @param bins - `[columns, rows]` */
export function createBinnedMatrix(rows: number, columns: number, bins: Uint8Array): BinnedMatrix {
  const binStarts = new Uint32Array(columns + 1);
  for (let column = 0; column < columns; column++) {
    let largest = 0;
    for (let i = column * rows; i < (column + 1) * rows; i++) if (bins[i] > largest) largest = bins[i];
    binStarts[column + 1] = binStarts[column] + largest + 1;
  }
  return { rows, columns, bins, binStarts };
}

/** A binary tree in arrays: node 0 is the root, a leaf has feature -1. */
export interface Tree {
  readonly feature: number[];
  /** Rows with a bin up to it go left. */
  readonly threshold: number[];
  readonly left: number[];
  readonly right: number[];
  readonly value: number[];
}

/** scikit-learn's: at most 31 leaves of at least 20 rows. */
const mostLeaves = 31;
const leastRows = 20;
const leastCurvature = 1e-3;

interface Leaf {
  readonly node: number;
  readonly rows: Uint32Array;
  /** Sums of first and second derivatives and of rows in each bin of each column, `[bins, 3]`. */
  readonly histogram: Float64Array;
  readonly split: Split | undefined;
}

interface Split {
  readonly gain: number;
  readonly feature: number;
  readonly threshold: number;
}

/**
 * Grows one tree leaf by leaf, always at the leaf whose best split gains most; a leaf's value is one damped Newton step.
 * @param derivatives - first and second derivative of the loss for each row, `[rows, 2]`
 */
export function growTree(matrix: BinnedMatrix, derivatives: Float64Array, learningRate: number): Tree {
  const tree: Tree = { feature: [], threshold: [], left: [], right: [], value: [] };
  const leaf = (rows: Uint32Array, histogram: Float64Array): Leaf => {
    let [gradient, curvature] = [0, 0];
    for (const row of rows) {
      gradient += derivatives[2 * row];
      curvature += derivatives[2 * row + 1];
    }
    tree.feature.push(-1);
    tree.threshold.push(0);
    tree.left.push(-1);
    tree.right.push(-1);
    const node = tree.value.push((-learningRate * gradient) / (curvature + 1e-12)) - 1;
    return { node, rows, histogram, split: bestSplit(histogram, matrix.binStarts, gradient, curvature, rows.length) };
  };
  const root = Uint32Array.from({ length: matrix.rows }, (_, row) => row);
  const leaves = [leaf(root, sumHistogram(matrix, derivatives, root))];
  while (leaves.length < mostLeaves) {
    leaves.sort((a, b) => (b.split?.gain ?? 0) - (a.split?.gain ?? 0) || a.node - b.node);
    const { node, rows, histogram, split } = leaves[0];
    if (!split) break;
    leaves.shift();
    const column = matrix.bins.subarray(split.feature * matrix.rows, (split.feature + 1) * matrix.rows);
    const sides = [rows.filter((row) => column[row] <= split.threshold), rows.filter((row) => column[row] > split.threshold)];
    // Only the smaller side is counted; the other one is the difference.
    const smaller = sides[0].length <= sides[1].length ? 0 : 1;
    const counted = sumHistogram(matrix, derivatives, sides[smaller]);
    for (let i = 0; i < histogram.length; i++) histogram[i] -= counted[i];
    const children = sides.map((side, i) => leaf(side, i === smaller ? counted : histogram));
    tree.feature[node] = split.feature;
    tree.threshold[node] = split.threshold;
    [tree.left[node], tree.right[node]] = children.map((child) => child.node);
    leaves.push(...children);
  }
  return tree;
}

function sumHistogram({ rows: height, columns, bins, binStarts }: BinnedMatrix, derivatives: Float64Array, rows: Uint32Array): Float64Array {
  const histogram = new Float64Array(3 * binStarts[columns]);
  for (let column = 0; column < columns; column++) {
    const first = column * height;
    const base = binStarts[column];
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i];
      const at = 3 * (base + bins[first + row]);
      histogram[at] += derivatives[2 * row];
      histogram[at + 1] += derivatives[2 * row + 1];
      histogram[at + 2]++;
    }
  }
  return histogram;
}

/** The split that lowers the loss most, or undefined where none helps. */
function bestSplit(histogram: Float64Array, binStarts: Uint32Array, gradient: number, curvature: number, rows: number): Split | undefined {
  const worth = (g: number, h: number) => (g * g) / (h + 1e-12);
  const whole = worth(gradient, curvature);
  let best: Split | undefined;
  for (let feature = 0; feature < binStarts.length - 1; feature++) {
    let [g, h, n] = [0, 0, 0];
    const bins = binStarts[feature + 1] - binStarts[feature];
    for (let threshold = 0; threshold < bins - 1; threshold++) {
      const at = 3 * (binStarts[feature] + threshold);
      if (histogram[at + 2] === 0) continue;
      g += histogram[at];
      h += histogram[at + 1];
      n += histogram[at + 2];
      if (n < leastRows || h < leastCurvature) continue;
      if (rows - n < leastRows || curvature - h < leastCurvature) break;
      const gain = worth(g, h) + worth(gradient - g, curvature - h) - whole;
      if (gain > (best?.gain ?? 1e-9)) best = { gain, feature, threshold };
    }
  }
  return best;
}

/** The value of the leaf in which a row ends. */
export function treeValue(tree: Tree, { rows, bins }: BinnedMatrix, row: number): number {
  let node = 0;
  while (tree.feature[node] >= 0) node = bins[tree.feature[node] * rows + row] <= tree.threshold[node] ? tree.left[node] : tree.right[node];
  return tree.value[node];
}
