// x [m, k] · weightᵀ of other libraries, one thread each, in the layout that each is fast with. Every one gives its first 64 numbers.
import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';
import { root } from '../../run.mjs';

export const matmulPeerVersions = {
  'onnxruntime-web': '1.30.0', 'onnxruntime-node': '1.30.0', '@tensorflow/tfjs-core': '4.22.0', '@tensorflow/tfjs-backend-wasm': '4.22.0', 'gpu.js': '2.24.1', '@jax-js/jax': '0.1.25',
};

/** onnxruntime-node first: both register themselves as `cpu`, and the web's would stand for both. */
const libraries = { 'onnxruntime-node': onnxRuntimeNode, 'onnxruntime-web': onnxRuntimeWeb, 'tfjs-wasm': tensorFlow, 'gpu.js, webasm': gpuJs, 'jax-js, wasm': jaxJs };

/** Those that run here; the others say why not. */
export async function matmulPeers(problem) {
  const found = [];
  for (const [name, create] of Object.entries(libraries)) {
    try {
      const run = await create(problem);
      await run();
      found.push({ name, run });
    } catch (error) {
      problem.note(`${name} cannot run here: ${error.message}`);
    }
  }
  return found;
}

/** weight [n, k] as [k, n]. */
function turn(weight, k, n) {
  const turned = new Float32Array(k * n);
  for (let i = 0; i < n; i++) for (let j = 0; j < k; j++) turned[j * n + i] = weight[i * k + j];
  return turned;
}

async function onnxRuntimeWeb(problem) {
  const module = await problem.peer('onnxruntime-web'), library = module.InferenceSession ? module : module.default;
  library.env.wasm.numThreads = 1;
  return onnxSession(library, problem, { executionProviders: ['wasm'] });
}

async function onnxRuntimeNode(problem) {
  return onnxSession(await problem.peer('onnxruntime-node'), problem, { executionProviders: ['cpu'], intraOpNumThreads: 1, interOpNumThreads: 1 });
}

async function onnxSession({ InferenceSession, Tensor }, { x, weight, m, k, n }, options) {
  const session = await InferenceSession.create(matmulModel(m, k, n, turn(weight, k, n)), options), feeds = { x: new Tensor('float32', x, [m, k]) };
  return async () => (await session.run(feeds)).y.data.subarray(0, 64);
}

/** The bytes of an ONNX model y = x · w with w as an initialiser, so that it may be packed once (onnx.proto: the numbers of the fields). */
function matmulModel(m, k, n, w) {
  const varint = (value) => { const bytes = []; for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128); return Buffer.from([...bytes, value]); };
  const number = (field, value) => Buffer.concat([varint(field * 8), varint(value)]);
  const bytes = (field, ...parts) => { const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))); return Buffer.concat([varint(field * 8 + 2), varint(body.length), body]); };
  const shape = (name, ...axes) => [bytes(1, name), bytes(2, bytes(1, number(1, 1), bytes(2, ...axes.map((axis) => bytes(1, number(1, axis))))))];
  const node = bytes(1, bytes(1, 'x'), bytes(1, 'w'), bytes(2, 'y'), bytes(4, 'MatMul'));
  const initialiser = bytes(5, number(1, k), number(1, n), number(2, 1), bytes(8, 'w'), bytes(9, Buffer.from(w.buffer)));
  const graph = bytes(7, node, bytes(2, 'g'), initialiser, bytes(11, ...shape('x', m, k)), bytes(12, ...shape('y', m, n)));
  return Buffer.concat([number(1, 8), graph, bytes(8, bytes(1, ''), number(2, 13))]);
}

async function tensorFlow({ x, weight, m, k, n, peer }) {
  const core = await peer('@tensorflow/tfjs-core'), { setThreadsCount, setWasmPaths } = await peer('@tensorflow/tfjs-backend-wasm');
  const require = createRequire(join(root, 'tools/bench/peers/package.json'));
  setWasmPaths(`${dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json'))}/dist/`);
  setThreadsCount(1);
  if (!(await core.setBackend('wasm'))) throw new Error('the wasm backend does not start');
  const [a, b] = [core.tensor2d(x, [m, k]), core.tensor2d(turn(weight, k, n), [k, n])];
  return async () => {
    const y = core.matMul(a, b), values = y.dataSync().subarray(0, 64);
    y.dispose();
    return values;
  };
}

async function gpuJs({ x, weight, m, k, n, peer }) {
  const { GPU, input } = await peer('gpu.js'), gpu = new GPU({ mode: 'webasm' });
  const product = gpu.createKernel(function (a, b) {
    let sum = 0;
    for (let i = 0; i < this.constants.k; i++) sum += a[this.thread.y][i] * b[i][this.thread.x];
    return sum;
  }).setConstants({ k }).setOutput([n, m]);
  const [a, b] = [input(x, [k, m]), input(turn(weight, k, n), [n, k])];
  return async () => product(a, b)[0].subarray(0, 64);
}

async function jaxJs({ x, weight, m, k, n, peer }) {
  const { init, defaultDevice, jit, numpy } = await peer('@jax-js/jax');
  await init('wasm');
  defaultDevice('wasm');
  const [a, b] = [numpy.array(x).reshape([m, k]), numpy.array(turn(weight, k, n)).reshape([k, n])], product = jit((left, right) => numpy.matmul(left, right));
  return async () => (await product(a.ref, b.ref).data()).subarray(0, 64);
}
