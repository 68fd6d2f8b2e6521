// y = a b (+ bias): register tiles over tiles in workgroup memory (Volkov and Demmel 2008), the next tile fetched while this one is multiplied.
// Grid: x over tiles of blockN columns from firstColumn, y over tiles of blockM rows from firstRow, z over slices of k from firstInner, whose sums lie one after another in y.
// An invocation owns `rows` x 4 elements of y in registers. Workgroup memory: blockK lines of blockM + 4 and of blockN + 4 numbers: 12.5 KiB for the largest tile;
// the 4 keep the turning of a line free of bank conflicts. Accumulates in f32, over k in order: without slices a row's result does not depend on the tile nor on the other rows.
import { unrolled } from '../../devices/webgpu/quads';
import { declareOperands, paramsStruct, type Operands } from './operands';

export interface Tile {
  readonly blockM: number;
  readonly blockN: number;
  readonly blockK: number;
  /** Of y that an invocation owns, a multiple of 4. */
  readonly rows: number;
}

/** 128 x 64 with 8 x 4 a thread was the fastest f32 tile measured on an A100 in WGSL (82 % of its multiply-add ceiling); the smaller ones fill the GPU where y is small. */
export const tiles: readonly Tile[] = [
  { blockM: 128, blockN: 64, blockK: 16, rows: 8 },
  { blockM: 64, blockN: 64, blockK: 16, rows: 4 },
  { blockM: 32, blockN: 32, blockK: 16, rows: 4 },
];

export interface TileVariant extends Operands {
  readonly tile: Tile;
  readonly transposeA: boolean;
  /** Tiles, and the sums within one, in this type: `f16` is opt-in, see `reducedPrecision`. */
  readonly arithmetic?: 'f32' | 'f16' | undefined;
}

export const threadsOf = ({ blockM, blockN, rows }: Tile): number => (blockM / rows) * (blockN / 4);

/** How an operand's tile gets into workgroup memory as [blockK][block]: quads that lie along the tile's lines one by one; those that lie across them four at a time, turned in registers. No two lanes write into one vec4: on Metal and D3D12 a lane writes all of it, whichever component it names. */
function filling(name: string, block: number, tile: Tile, across: boolean, last: boolean) {
  const { blockK } = tile;
  const threads = threadsOf(tile);
  const stride = block / 4 + 1;
  const declare = `var<workgroup> ${name}Tile: array<vec4<Part>, ${blockK * stride}>;\n`;
  if (!across) {
    const quads = (block * blockK) / 4 / threads;
    const at = (i: number) => `(lane + ${i * threads}u)`, lines = block / 4; // quads in a line of memory
    return {
      declare, stride,
      places: '',
      variables: unrolled(quads, (i) => `  var next${name}${i} = vec4<Part>();\n`),
      fetch: (_end: string, length: string, first: string) => unrolled(quads, (i) => `  next${name}${i} = vec4<Part>(${name}Quad(inner + ${at(i)} / ${lines}u, ${first} + ${at(i)} % ${lines}u * 4u, params.endInner, ${length}));\n`),
      store: unrolled(quads, (i) => `    ${name}Tile[${at(i)} / ${lines}u * ${stride}u + ${at(i)} % ${lines}u] = next${name}${i};\n`),
    };
  }
  // A lane takes a quad of four lines, at most once. Neighbours take two quads of a line, so that they read whole sectors and write different banks; b takes the last lanes, which a leaves idle: they share the registers.
  const blocks = (block * blockK) / 16, slot = last ? `(lane - ${threads - blocks}u)` : 'lane';
  const where = (body: string) => `  if (lane ${last ? `>= ${threads - blocks}` : `< ${blocks}`}u) {\n${body}  }\n`;
  return {
    declare, stride,
    places: `  let ${name}Line = ${slot} / 2u % ${block / 4}u;\n  let ${name}Depth = (${slot} / ${block / 2}u * 2u + ${slot} % 2u) * 4u;\n`,
    variables: unrolled(4, (i) => `  var turned${i} = vec4<Part>();\n`),
    fetch: (end: string, _length: string, first: string) => where(unrolled(4, (i) => `  turned${i} = vec4<Part>(${name}Quad(${first} + ${name}Line * 4u + ${i}u, inner + ${name}Depth, ${end}, params.k));\n`)),
    store: where(unrolled(4, (c) => `    ${name}Tile[(${name}Depth + ${c}u) * ${stride}u + ${name}Line] = vec4(${[0, 1, 2, 3].map((i) => `turned${i}.${'xyzw'[c]}`).join(', ')});\n`)),
  };
}

export function tileShader(variant: TileVariant): string {
  const { tile, transposeA, transposeB, hasBias, hasScales = false, arithmetic = 'f32' } = variant;
  const { blockM, blockN, blockK, rows } = tile;
  const a = filling('a', blockM, tile, !transposeA, false);
  const b = filling('b', blockN, tile, transposeB, true);
  const columns = blockN / 4;
  // A slice ends at params.endInner or at its own end, multiples of blockK before the end of k; a fetch beyond it is of the next slice, and nobody multiplies it.
  const half = arithmetic === 'f16'; // a tile's products are summed in f16, the tiles' sums in f32
  return `${half ? 'enable f16;\n' : ''}${paramsStruct}alias Part = ${arithmetic};
@group(0) @binding(0) var<storage, read> params: Params;
${declareOperands(variant)}${a.declare}${b.declare}
@compute @workgroup_size(${threadsOf(tile)})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let firstRow = params.firstRow + group.y * ${blockM}u;
  let firstColumn = params.firstColumn + group.x * ${blockN}u;
  let row = lane / ${columns}u;
  let column = lane % ${columns}u;
  var inner = params.firstInner + group.z * params.slice;
  let end = min(params.endInner, inner + params.slice);
${unrolled(rows, (r) => `  var sum${r} = vec4(0.0);\n`)}${hasBias && !hasScales ? `  if (group.z == 0u) { sum0 = biasQuad(0u, firstColumn + column * 4u, 1u, params.n); }\n${unrolled(rows - 1, (r) => `  sum${r + 1} = sum0;\n`)}` : ''}${a.places}${b.places}${[...new Set([a.variables, b.variables])].join('')}${a.fetch('params.endRow', 'params.m', 'firstRow')}${b.fetch('params.endColumn', 'params.n', 'firstColumn')}  while (inner < end) {
    workgroupBarrier();
${a.store}${b.store}    workgroupBarrier();
    inner += ${blockK}u;
${a.fetch('params.endRow', 'params.m', 'firstRow')}${b.fetch('params.endColumn', 'params.n', 'firstColumn')}${half ? unrolled(rows, (r) => `    var part${r} = vec4<Part>();\n`) : ''}    for (var i = 0u; i < ${blockK}u; i++) {
      let right = bTile[i * ${b.stride}u + column];
${unrolled(rows / 4, (q) => `      let left${q} = aTile[i * ${a.stride}u + row * ${rows / 4}u + ${q}u];\n`)}${unrolled(rows, (r) => `      ${half ? 'part' : 'sum'}${r} += left${r >> 2}.${'xyzw'[r & 3]} * right;\n`)}    }
${half ? unrolled(rows, (r) => `    sum${r} += vec4<f32>(part${r});\n`) : ''}  }
  let ownRow = firstRow + row * ${rows}u;
  let ownColumn = firstColumn + column * 4u;
  if (ownColumn >= params.endColumn) { return; }
${hasScales ? `  let scale = scalesQuad(0u, ownColumn, 1u, params.n);
  let shift = ${hasBias ? 'select(vec4(0.0), biasQuad(0u, ownColumn, 1u, params.n), group.z == 0u)' : 'vec4(0.0)'};
${unrolled(rows, (r) => `  sum${r} = sum${r} * scale + shift;\n`)}` : ''}  let at = params.yStart + (group.z * params.m + ownRow) * params.n + ownColumn;
${unrolled(rows, (r) => `  if (ownRow + ${r}u < params.endRow) { yPut(at + ${r}u * params.n, params.n - ownColumn, sum${r}); }\n`)}}
`;
}

const both = [false, true];
/** What tools/checkWgsl.mjs compiles. */
export const variants = [
  ...tiles.flatMap((tile) => both.flatMap((transposeA) => both.flatMap((transposeB) => both.map((wide) => ({ tile, transposeA, transposeB, wideA: wide, wideB: wide, wideY: wide, hasBias: wide }))))),
  ...both.flatMap((transposeA) => both.map((wide) => ({ tile: tiles[1], transposeA, transposeB: false, wideA: wide, wideB: wide, wideY: wide, hasBias: false, adds: true }))),
  ...both.map((wide) => ({ tile: tiles[1], transposeA: false, transposeB: true, wideA: wide, wideB: wide, wideY: wide, hasBias: wide, hasScales: true, dtypeB: 'int8' as const })),
  ...(['float16', 'bfloat16'] as const).flatMap((dtype) => both.map((wide) => ({ tile: tiles[1], transposeA: false, transposeB: true, wideA: wide, wideB: wide, wideY: wide, hasBias: true, dtypeA: dtype, dtypeB: dtype, dtypeBias: dtype }))),
  ...tiles.flatMap((tile) => both.map((wide) => ({ tile, transposeA: false, transposeB: true, wideA: wide, wideB: wide, wideY: wide, hasBias: true, arithmetic: 'f16' as const }))),
].map((variant) => ({ name: JSON.stringify(variant), shader: tileShader(variant) }));
