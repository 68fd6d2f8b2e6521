// Writes a decoder's weights as GGUF (ggml-org/ggml, docs/gguf.md, version 3) for llama.cpp, with a made-up vocabulary (which has to hold all bytes): only ids go in and out.
import { closeSync, openSync, writeSync } from 'node:fs';

const text = (value) => {
  const bytes = Buffer.from(value), length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  return Buffer.concat([length, bytes]);
};
const u32 = (value) => { const b = Buffer.alloc(4); b.writeUInt32LE(value); return b; };
const f32 = (value) => { const b = Buffer.alloc(4); b.writeFloatLE(value); return b; };
const u64 = (value) => { const b = Buffer.alloc(8); b.writeBigUInt64LE(BigInt(value)); return b; };
const types = { u32: 4, i32: 5, f32: 6, text: 8, array: 9 }, encode = { u32, i32: u32, f32, text };
const pair = (key, type, value) => Buffer.concat([text(key), u32(types[type]), encode[type](value)]);
const list = (key, type, values) => Buffer.concat([text(key), u32(types.array), u32(types[type]), u64(values.length), ...values.map(encode[type])]);

/** transformers turns halves of a head, llama.cpp neighbours: rows of query and key change places (its convert_hf_to_gguf.py, `permute`). */
function permuted(weight, heads) {
  const [rows, width] = weight.shape, half = rows / heads / 2, data = new Float32Array(weight.data.length);
  for (let head = 0; head < heads; head++) for (let part = 0; part < 2; part++) for (let i = 0; i < half; i++) {
    const from = (head * 2 * half + part * half + i) * width;
    data.set(weight.data.subarray(from, from + width), (head * 2 * half + 2 * i + part) * width);
  }
  return { shape: weight.shape, data };
}

/** @param weights - name → { shape, data }, under the names of the checkpoint */
export function writeGguf(path, config, weights) {
  const { vocabSize, hiddenSize, numLayers, numHeads, numKvHeads, headDim, intermediateSize } = config;
  const names = { 'input_layernorm': 'attn_norm', 'self_attn.q_proj': 'attn_q', 'self_attn.k_proj': 'attn_k', 'self_attn.v_proj': 'attn_v', 'self_attn.o_proj': 'attn_output', 'post_attention_layernorm': 'ffn_norm', 'mlp.gate_proj': 'ffn_gate', 'mlp.up_proj': 'ffn_up', 'mlp.down_proj': 'ffn_down' };
  const tensors = [['token_embd.weight', weights['model.embed_tokens.weight']], ['output_norm.weight', weights['model.norm.weight']], ['output.weight', weights['lm_head.weight']]];
  for (let i = 0; i < numLayers; i++) for (const [theirs, ours] of Object.entries(names)) {
    const weight = weights[`model.layers.${i}.${theirs}.weight`];
    tensors.push([`blk.${i}.${ours}.weight`, ours === 'attn_q' ? permuted(weight, numHeads) : ours === 'attn_k' ? permuted(weight, numKvHeads) : weight]);
  }
  const meta = [
    pair('general.architecture', 'text', 'llama'), pair('general.name', 'text', 'bench'), pair('general.file_type', 'u32', 0), pair('llama.block_count', 'u32', numLayers), pair('llama.context_length', 'u32', config.maxPositions),
    pair('llama.embedding_length', 'u32', hiddenSize), pair('llama.feed_forward_length', 'u32', intermediateSize), pair('llama.attention.head_count', 'u32', numHeads), pair('llama.attention.head_count_kv', 'u32', numKvHeads),
    pair('llama.attention.key_length', 'u32', headDim), pair('llama.attention.value_length', 'u32', headDim), pair('llama.rope.dimension_count', 'u32', headDim), pair('llama.rope.freq_base', 'f32', config.ropeTheta),
    pair('llama.attention.layer_norm_rms_epsilon', 'f32', config.rmsNormEps), pair('llama.vocab_size', 'u32', vocabSize), pair('tokenizer.ggml.model', 'text', 'llama'),
    list('tokenizer.ggml.tokens', 'text', Array.from({ length: vocabSize }, (_, id) => (id < 3 ? ['<unk>', '<s>', '</s>'][id] : id < 259 ? `<0x${(id - 3).toString(16).padStart(2, '0').toUpperCase()}>` : `t${id}`))), list('tokenizer.ggml.scores', 'f32', Array.from({ length: vocabSize }, (_, id) => -id)),
    list('tokenizer.ggml.token_type', 'i32', Array.from({ length: vocabSize }, (_, id) => (id === 0 ? 2 : id < 3 ? 3 : id < 259 ? 6 : 1))), pair('tokenizer.ggml.bos_token_id', 'u32', 1), pair('tokenizer.ggml.eos_token_id', 'u32', 2),
  ];
  let at = 0;
  const infos = tensors.map(([name, { shape, data }]) => {
    const info = Buffer.concat([text(name), u32(shape.length), ...[...shape].reverse().map(u64), u32(0), u64(at)]);
    at += Math.ceil(data.byteLength / 32) * 32;
    return info;
  });
  const head = Buffer.concat([Buffer.from('GGUF'), u32(3), u64(tensors.length), u64(meta.length), ...meta, ...infos]);
  const file = openSync(path, 'w');
  const pad = (bytes) => { if (bytes % 32) writeSync(file, Buffer.alloc(32 - (bytes % 32))); };
  writeSync(file, head);
  pad(head.length);
  for (const [, { data }] of tensors) {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    for (let from = 0; from < bytes.length;) from += writeSync(file, bytes, from, Math.min(bytes.length - from, 2 ** 28));
    pad(bytes.length);
  }
  closeSync(file);
}
