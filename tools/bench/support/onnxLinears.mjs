// The linear maps of a decoder in onnxruntime-node: what it could reach at most, as attention, norms and the cache are left out. (A whole decoder with a cache would have to come from an exporter in Python.)
const varint = (value) => { const bytes = []; for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128); return Buffer.from([...bytes, value]); };
const number = (field, value) => Buffer.concat([varint(field * 8), varint(value)]);
const bytes = (field, ...parts) => { const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))); return Buffer.concat([varint(field * 8 + 2), varint(body.length), body]); };

/** An ONNX model (onnx.proto: the numbers of the fields) of the maps in their order, each with the checkpoint's numbers read as [inputs, outputs], so that nothing is turned. */
function linearsModel(config, weights) {
  const { vocabSize, hiddenSize, numLayers, numHeads, numKvHeads, intermediateSize } = config, parts = [];
  if (numHeads !== numKvHeads) throw new RangeError(`bench: expected as many key heads as heads, got ${numKvHeads} of ${numHeads}`);
  const node = (type, output, ...inputs) => (parts.push(bytes(1, ...inputs.map((name) => bytes(1, name)), bytes(2, output), bytes(4, type))), output);
  const map = (x, name, [k, n]) => {
    const { buffer, byteOffset, byteLength } = weights[`${name}.weight`].data;
    parts.push(bytes(5, number(1, k), number(1, n), number(2, 1), bytes(8, name), bytes(9, Buffer.from(buffer, byteOffset, byteLength))));
    return node('MatMul', `${name}.y`, x, name);
  };
  let x = 'x';
  for (let i = 0; i < numLayers; i++) {
    const at = (name) => `model.layers.${i}.${name}`, [square, wide, narrow] = [[hiddenSize, hiddenSize], [hiddenSize, intermediateSize], [intermediateSize, hiddenSize]];
    const [q, k, v] = ['q_proj', 'k_proj', 'v_proj'].map((name) => map(x, at(`self_attn.${name}`), square));
    const attended = node('Add', at('attended'), x, map(node('Mul', at('qkv'), node('Mul', at('qk'), q, k), v), at('self_attn.o_proj'), square));
    const gate = map(attended, at('mlp.gate_proj'), wide), silu = node('Mul', at('silu'), gate, node('Sigmoid', at('sigmoid'), gate));
    x = node('Add', at('output'), attended, map(node('Mul', at('inner'), silu, map(attended, at('mlp.up_proj'), wide)), at('mlp.down_proj'), narrow));
  }
  const y = map(x, 'lm_head', [hiddenSize, vocabSize]);
  const value = (name, width) => [bytes(1, name), bytes(2, bytes(1, number(1, 1), bytes(2, bytes(1, bytes(2, 'batch')), bytes(1, number(1, width)))))];
  const graph = bytes(7, ...parts, bytes(2, 'g'), bytes(11, ...value('x', hiddenSize)), bytes(12, ...value(y, vocabSize)));
  return { model: Buffer.concat([number(1, 8), graph, bytes(8, bytes(1, ''), number(2, 13))]), output: y };
}

/** @param now - the clock, in seconds */
export async function createOnnxLinears(peer, config, weights, threads, now) {
  const { InferenceSession, Tensor } = await peer('onnxruntime-node'), { model, output } = linearsModel(config, weights);
  const session = await InferenceSession.create(model, { executionProviders: ['cpu'], intraOpNumThreads: threads, interOpNumThreads: 1 });
  return {
    /** Seconds of each pass over all maps. */
    async steps(batch, count) {
      const x = new Tensor('float32', new Float32Array(batch * config.hiddenSize).fill(0.01), [batch, config.hiddenSize]), times = [];
      for (let i = 0; i <= count; i++) {
        const begun = now();
        if ((await session.run({ x }))[output].data.length !== batch * config.vocabSize) throw new Error('onnxruntime-node: expected a row of scores for each row');
        times.push(now() - begun);
      }
      return times.slice(1);
    },
    end: () => session.release(),
  };
}
