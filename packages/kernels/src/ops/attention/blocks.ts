// What attention's three blocked kernels share. A workgroup owns `rows` rows (of queries or of keys) of one head and streams the others past them, 4 · lanes at a time.
// An invocation (row quad ty, lane tx) owns 4 x 4 scores, and of its four rows every lanes-th quad of the results. All products read two tiles of workgroup memory:
// "turned" [depth][lines] for scores, "straight" [lines][headDim] and the exchanged weights [columns][rows] for results. Lines of tiles are an odd number of quads, against bank conflicts.
import { quadLoader, quadWriter, unrolled } from '../../devices/webgpu/quads';
import type { DType } from '../../tensor';

export interface Block {
  /** A multiple of 4. */
  readonly rows: number;
  readonly lanes: number;
  /** Of headDim, in workgroup memory at once: all of it, or 32 at a time where that does not fit. */
  readonly depth: number;
  /** Tiles, and sums within 16 products, in f16; longer ones in f32. Opt-in, see `reducedPrecision`. */
  readonly half?: boolean;
}

/** The type of tiles: before everything else. */
export const partType = ({ half }: Block): string => `${half ? 'enable f16;\n' : ''}alias Part = ${half ? 'f16' : 'f32'};\n`;

/** Of headDim, padded to quads. */
export const paddedDim = (headDim: number): number => Math.ceil(headDim / 4) * 4;
export const threadsOf = ({ rows, lanes }: Block): number => (rows / 4) * lanes;
export const columnsOf = ({ lanes }: Block): number => 4 * lanes;
/** Quads of a result row that a lane owns. */
export const quadsOf = (headDim: number, { lanes }: Block): number => Math.ceil(paddedDim(headDim) / 4 / lanes);

/** Sizes of the tiles in quads, and the bytes of all in f32. `rowTiles`: operands of the workgroup's own rows. */
export function memoryOf(headDim: number, block: Block, rowTiles: number): { row: number; stream: number; exchange: number; partial: number; bytes: number } {
  const { rows, lanes, depth } = block;
  const row = depth * (rows / 4 + 1);
  const stream = Math.max(depth * (lanes + 1), columnsOf(block) * quadsOf(headDim, block) * lanes);
  const exchange = columnsOf(block) * (rows / 4 + 1);
  const partial = (lanes * rows) / 4;
  return { row, stream, exchange, partial, bytes: 16 * ((isResident(headDim, block) ? rowTiles : 1) * row + stream + exchange + partial) };
}

/** The workgroup's own rows are read once, not for every block of columns. */
export const isResident = (headDim: number, { depth }: Block): boolean => depth >= paddedDim(headDim);

export interface Operand {
  readonly name: 'query' | 'key' | 'value' | 'd';
  readonly dtype?: DType | undefined;
}

/** Bindings from 1 on, and `fn <name>Row(row, offset, depth) -> vec4<f32>`: four numbers of a row of a head, zeros beyond headDim. Queries are scaled here. */
export function operands(list: readonly Operand[], headDim: number): string {
  const wide = headDim % 4 === 0;
  return list.map(({ name, dtype }, i) => `${quadLoader(i + 1, { name, dtype, wide })}fn ${name}Row(row: i32, offset: u32, depth: u32) -> vec4<f32> {
  if (depth >= ${headDim}u) { return vec4(0.0); }
  return ${name}Load(u32(row) * params.${name}Stride + offset + depth, ${headDim}u - depth)${name === 'query' ? ' * params.softmaxScale' : ''};
}
`).join('');
}

/** Where a head begins within a row of each operand. */
export const offsets = (names: readonly Operand['name'][], headDim: number, head: string, keyHead: string): string =>
  names.map((name) => `  let ${name}Offset = params.${name}Start + ${name === 'query' || name === 'd' ? head : keyHead} * ${headDim}u;\n`).join('');

/** Where row 0 of each tensor lies: a u32 that may wrap below zero where the tensor is shown in part. */
export const fields = 'queryStride: u32, keyStride: u32, valueStride: u32, dStride: u32, queryStart: u32, keyStart: u32, valueStart: u32, dStart: u32, outputStart: u32, statisticsStart: u32';

export const helpers = `
// exp() and log() that keep a NaN: some GPUs clamp it away.
fn kept(result: vec4<f32>, v: vec4<f32>) -> vec4<f32> { return select(result, v, (bitcast<vec4<u32>>(v) & vec4(0x7fffffffu)) > vec4(0x7f800000u)); }
fn exponential(v: vec4<f32>) -> vec4<f32> { return kept(exp(v), v); }
fn logarithm(v: vec4<f32>) -> vec4<f32> { return kept(log(v), v); }

fn entry(block: u32, i: u32) -> i32 { return i32(params.arrays[params.blocks + 5u * block + i]); }

// The others that a row sees, between start and end.
fn seen(position: i32, start: i32, end: i32) -> vec2<i32> {
  return vec2(select(max(start, position - params.before), start, params.before < 0), select(min(end, position + params.after + 1), end, params.after < 0));
}
`;

/** The rows of this workgroup, from table `blocks`, and where the streaming begins and ends. */
export const groupRows = (rows: number): string => `  let firstRow = entry(group.x, 0u);
  let rowEnd = min(firstRow + ${rows}, entry(group.x, 1u));
  let start = entry(group.x, 2u);
  let stop = entry(group.x, 3u);
  let shift = entry(group.x, 4u);
  let begin = seen(firstRow + shift, start, stop).x;
  let end = seen(rowEnd - 1 + shift, start, stop).y;
`;

/** The same, and what each of an invocation's four rows sees. */
export const ownRows = ({ rows, lanes }: Block): string => `  let tx = lane % ${lanes}u;
  let ty = lane / ${lanes}u;
${groupRows(rows)}  let row = firstRow + i32(ty) * 4;
${unrolled(4, (r) => `  let own${r} = select(vec2(begin), seen(row + ${r} + shift, start, stop), row + ${r} < rowEnd); // rows beyond the last see nothing\n`)}`;

/** Lines [first, end) of an operand into a tile, four at a time and turned in registers: no two lanes write into one vec4, of which Metal and D3D12 write all, whichever component is named. Neighbouring lanes take two quads of a line, so that they read whole sectors and write different banks. */
export function fillTurned(block: Block, tile: string, name: Operand['name'], lines: number, first: string, end: string): string {
  const stride = lines / 4 + 1;
  const pairs = block.depth % 8 ? 1 : 2;
  return `      for (var i = lane; i < ${(lines * block.depth) / 16}u; i += ${threadsOf(block)}u) {
        let lineQuad = i / ${pairs}u % ${lines / 4}u;
        let quad = i / ${(pairs * lines) / 4}u * ${pairs}u + i % ${pairs}u;
        let line = ${first} + i32(lineQuad) * 4;
${unrolled(4, (r) => `        var line${r} = vec4<Part>();\n        if (line + ${r} < ${end}) { line${r} = vec4<Part>(${name}Row(line + ${r}, ${name}Offset, depth + quad * 4u)); }\n`)}        let at = quad * ${4 * stride}u + lineQuad;
${unrolled(4, (c) => `        ${tile}[at + ${c * stride}u] = vec4(${[0, 1, 2, 3].map((r) => `line${r}.${'xyzw'[c]}`).join(', ')});\n`)}      }
`;
}

/** The same, straight: into `stream`. */
export function fillStraight(block: Block, headDim: number, name: Operand['name']): string {
  const width = quadsOf(headDim, block) * block.lanes;
  return `    for (var i = lane; i < ${columnsOf(block) * width}u; i += ${threadsOf(block)}u) {
      let line = first + i32(i / ${width}u);
      var value = vec4(0.0);
      if (line < end) { value = ${name}Row(line, ${name}Offset, i % ${width}u * 4u); }
      stream[i] = vec4<Part>(value);
    }
`;
}

/** Each sum += its product for i below `count`; in f16 over 16 of them at a time. `reads` makes what the products are of. */
function sumProducts({ half }: Block, count: number, sums: readonly string[], reads: string, product: (index: number) => string): string {
  const add = (prefix: string) => sums.map((sum, i) => `        ${prefix}${sum} += ${product(i)};\n`).join('');
  if (!half) return `      for (var i = 0u; i < ${count}u; i++) {\n${reads}${add('')}      }\n`;
  return `      for (var sixteen = 0u; sixteen < ${count}u; sixteen += 16u) {
${sums.map((sum) => `        var part_${sum} = vec4<Part>();\n`).join('')}        for (var i = sixteen; i < min(${count}u, sixteen + 16u); i++) {
${reads}${add('part_')}        }
${sums.map((sum) => `        ${sum} += vec4<f32>(part_${sum});\n`).join('')}      }
`;
}

/** `<sums>0` … `<sums>3`, one for each row = own rows times the streamed columns, over headDim. */
export function scores(block: Block, headDim: number, sums: string, tile: string, rowsOf: Operand['name'], columns: Operand['name']): string {
  const resident = isResident(headDim, block);
  return `${unrolled(4, (r) => `    var ${sums}${r} = vec4(0.0);\n`)}    for (var depth = 0u; depth < ${paddedDim(headDim)}u; depth += ${block.depth}u) {
      workgroupBarrier();
${resident ? '' : fillTurned(block, tile, rowsOf, block.rows, 'firstRow', 'rowEnd')}${fillTurned(block, 'stream', columns, columnsOf(block), 'first', 'end')}      workgroupBarrier();
${sumProducts(block, block.depth, Array.from({ length: 4 }, (_, r) => `${sums}${r}`), `        let left = ${tile}[i * ${block.rows / 4 + 1}u + ty];
        let right = stream[i * ${block.lanes + 1}u + tx];
`, (r) => `left.${'xyzw'[r]} * right`)}    }
`;
}

/** Tile names of the workgroup's own operands: one of each where they stay, else one for both. */
export const rowTiles = (block: Block, headDim: number, names: readonly Operand['name'][]): string[] => names.map((name) => (isResident(headDim, block) ? `${name}Tile` : 'rowTile'));

/** Own operands that stay are read once, before the loop. */
export const fillResident = (block: Block, headDim: number, names: readonly Operand['name'][]): string =>
  isResident(headDim, block) ? `  {\n      let depth = 0u;\n${names.map((name) => fillTurned(block, `${name}Tile`, name, block.rows, 'firstRow', 'rowEnd')).join('')}  }\n` : '';

export function declareTiles(block: Block, headDim: number, names: readonly Operand['name'][], hasPartial: boolean): string {
  const { row, stream, exchange, partial } = memoryOf(headDim, block, names.length);
  return `${[...new Set(rowTiles(block, headDim, names))].map((tile) => `var<workgroup> ${tile}: array<vec4<Part>, ${row}>;\n`).join('')}var<workgroup> stream: array<vec4<Part>, ${stream}>;
var<workgroup> exchange: array<vec4<Part>, ${exchange}>;
${hasPartial ? `var<workgroup> partial: array<vec4<f32>, ${partial}>;\n` : ''}`;
}

/** Hands the 4 x 4 weights of every invocation to those that need them: [column][row]. */
export const exchangeWeights = ({ rows }: Block, weights: string): string =>
  unrolled(4, (c) => `    exchange[(tx * 4u + ${c}u) * ${rows / 4 + 1}u + ty] = vec4<Part>(vec4(${[0, 1, 2, 3].map((r) => `${weights}${r}.${'xyzw'[c]}`).join(', ')}));\n`);

/** results += exchanged weights times the straight tile. */
export function accumulate(block: Block, headDim: number, results: string): string {
  const quads = quadsOf(headDim, block);
  const sums = Array.from({ length: 4 * quads }, (_, i) => `${results}${i % 4}_${i >> 2}`);
  const reads = `        let left = exchange[i * ${block.rows / 4 + 1}u + ty];\n${unrolled(quads, (q) => `        let right${q} = stream[i * ${quads * block.lanes}u + ${q * block.lanes}u + tx];\n`)}`;
  return sumProducts(block, columnsOf(block), sums, reads, (i) => `left.${'xyzw'[i % 4]} * right${i >> 2}`);
}

export const declareResults = (block: Block, headDim: number, results: string): string => unrolled(4, (r) => unrolled(quadsOf(headDim, block), (q) => `  var ${results}${r}_${q} = vec4(0.0);\n`));

/** Stores each row's quads, `value(result, r, at)` at place `at` of its line, at `base(r)` of an output: see `resultWriter`. */
export const storeResults = (block: Block, headDim: number, output: string, results: string, base: (r: number) => string, value: (result: string, r: number, at: string) => string = (result) => result): string =>
  unrolled(4, (r) => `  if (row + ${r} < rowEnd) {\n    let base = ${base(r)};\n${unrolled(quadsOf(headDim, block), (q) => `    ${output}Quad(base, ${placeOf(block, q)}, ${value(`${results}${r}_${q}`, r, placeOf(block, q))});\n`)}  }\n`);

/** Where a lane's quads lie in a line of the results. */
export const placeOf = ({ lanes }: Block, quad: number): string => `(${quad * lanes}u + tx) * 4u`;

/** Declares an output and `fn <name>Quad(base: u32, at: u32, value: vec4<f32>)`; where it `continues` what others have begun, also `fn <name>Before(base: u32, at: u32) -> vec4<f32>`. */
export const resultWriter = (binding: number, name: string, headDim: number, continues = false): string => `${quadWriter(binding, { name, wide: headDim % 4 === 0 })}fn ${name}Quad(base: u32, at: u32, value: vec4<f32>) {
  if (at < ${headDim}u) { ${name}Put(base + at, ${headDim}u - at, value); }
}
${continues ? `fn ${name}Before(base: u32, at: u32) -> vec4<f32> {
  if (at >= ${headDim}u) { return vec4(0.0); }
  ${headDim % 4 ? `let i = base + at;\n  return vec4(${name}[i]${[1, 2, 3].map((c) => `, select(0.0, ${name}[i + ${c}u], at + ${c}u < ${headDim}u)`).join('')})` : `return ${name}[(base + at) / 4u]`};
}
` : ''}`;
