// Fixtures made by other implementations (golden/*/index.json say how): their reader, and the comparison of attention with them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { attention, free, mul, scope, sum, tensor, valueAndGrad, type Device, type Tensor } from '../src';
import { allClose } from '../src/testing';

export const goldenFolder = join(__dirname, 'golden');

export interface Golden {
  readonly values: Float32Array | Int32Array;
  readonly shape: readonly number[];
}

/** Every tensor of a safetensors file; 64-bit integers become 32-bit ones. */
export function readGolden(path: string): Record<string, Golden> {
  const bytes = readFileSync(path);
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, start)) as Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;
  return Object.fromEntries(Object.entries(header).filter(([name]) => name !== '__metadata__').map(([name, { dtype, shape, data_offsets: [from, to] }]) => {
    const { buffer } = Uint8Array.from(bytes.subarray(start + from, start + to));
    const values = dtype === 'F32' ? new Float32Array(buffer) : dtype === 'I32' ? new Int32Array(buffer) : Int32Array.from(new BigInt64Array(buffer), Number);
    return [name, { values, shape }];
  }));
}

export const readIndex = (folder: string): Record<string, unknown> => JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as Record<string, unknown>;

/** The attention cases in a folder: `<case>.safetensors`. */
export const attentionCases = (folder: string): string[] => readdirSync(folder).filter((file) => file.endsWith('.safetensors')).map((file) => file.replace('.safetensors', ''));

interface AttentionCase {
  readonly causal: boolean;
  readonly window: readonly [number, number];
  readonly input_amplitude: number;
}

/** Output, logSumExp and all gradients within 1e-5 of float64; 3e-5 where large inputs make the softmax peaked. */
export async function checkAttention(device: Device, folder: string, name: string): Promise<void> {
  const { causal, window: windowSize, input_amplitude } = (readIndex(folder).cases as Record<string, AttentionCase>)[name];
  const { q, k, v, dout, cu_seqlens_q, cu_seqlens_k, alibi_slopes, ...expected } = readGolden(join(folder, `${name}.safetensors`));
  const tolerance = input_amplitude > 1 ? 3e-5 : 1e-5;
  const upload = ({ values, shape }: Golden) => tensor(device, values, shape);
  const inputs = { query: upload(q), key: upload(k), value: upload(v) };
  const dOutput = upload(dout);
  const run = (p: typeof inputs) => attention(p, { cuSeqlens: cu_seqlens_q.values, cuSeqlensKey: cu_seqlens_k.values, causal, windowSize, ...(alibi_slopes ? { alibiSlopes: alibi_slopes.values } : {}) });
  const { output, logSumExp } = run(inputs);
  const { grads } = scope<{ grads: typeof inputs }>(() => valueAndGrad((p: typeof inputs) => sum(mul(run(p).output, dOutput)))(inputs) as never);
  const check = async (actual: Tensor, { values }: Golden, what: string) => allClose(await device.read(actual), values, tolerance, `${what} of ${name} on ${device.kind}`);
  await check(output, expected.out, 'output');
  await check(logSumExp, expected.lse, 'logSumExp');
  await check(grads.query, expected.dq, 'dQuery');
  await check(grads.key, expected.dk, 'dKey');
  await check(grads.value, expected.dv, 'dValue');
  free([inputs, dOutput, output, logSumExp, grads]);
}
