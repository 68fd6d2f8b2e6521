// Settings of config.json that no fixture has, against torch: both models written down again from the papers' equations, in forty lines of Python on the saved files.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createWasmDevice, free, read, type Device } from '@genomelm/kernels';
import { allClose } from '@genomelm/kernels/testing';
import { causalLmLogits, createModel, dnabert2Config, loadPretrained, maskedLmLogits, packBatch, savePretrained, type AnyModel, type DecoderConfig, type EncoderConfig } from '../src';
import { isDecoder } from '../src/model';
import { tinyDecoder } from './tinyDecoder';

const reference = `
import json, math, struct, sys, torch
F = torch.nn.functional
lin = lambda x, name: F.linear(x, w[name + '.weight'], w.get(name + '.bias'))
def attend(q, k, v, bias):
    s = torch.einsum('qhd,khd->hqk', q, k) / math.sqrt(q.shape[-1]) + bias
    return torch.einsum('hqk,khd->qhd', s.softmax(-1), v).flatten(1)
def mistral(x):
    K, E = c['num_key_value_heads'], c['head_dim']
    rms = lambda x, name: x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + c['rms_norm_eps']) * w[name + '.weight']
    p = torch.arange(len(x)).double()
    a = torch.outer(p, c['rope_theta'] ** (-torch.arange(0, E, 2).double() / E))
    cos, sin = [torch.cat([f(a), f(a)], -1)[:, None] for f in (torch.cos, torch.sin)]
    turn = lambda x: x * cos + torch.cat([-x[..., E // 2:], x[..., :E // 2]], -1) * sin
    d = p[:, None] - p[None]
    bias = torch.where((d < 0) | (d >= (c['sliding_window'] or 10**9)), -math.inf, 0.0).double()[None]
    for i in range(c['num_hidden_layers']):
        l = f'model.layers.{i}.'
        y = rms(x, l + 'input_layernorm')
        q, k, v = [lin(y, l + f'self_attn.{m}_proj').reshape(len(x), h, E) for m, h in (('q', H), ('k', K), ('v', K))]
        k, v = [t.repeat_interleave(H // K, 1) for t in (turn(k), v)]
        x = x + lin(attend(turn(q), k, v, bias), l + 'self_attn.o_proj')
        y = rms(x, l + 'post_attention_layernorm')
        x = x + lin(F.silu(lin(y, l + 'mlp.gate_proj')) * lin(y, l + 'mlp.up_proj'), l + 'mlp.down_proj')
    return F.linear(rms(x, 'model.norm'), w['model.embed_tokens.weight' if c['tie_word_embeddings'] else 'lm_head.weight'])
def slopes(n):
    p = 2 ** math.floor(math.log2(n))
    two = lambda m: [2 ** (-8 * (i + 1) / m) for i in range(m)]
    return two(p) + two(2 * p)[0::2][:n - p]
def bert(x):
    norm = lambda x, name: F.layer_norm(x, (D,), w[name + '.weight'], w[name + '.bias'], c['layer_norm_eps'])
    if c['type_vocab_size']: x = x + w['bert.embeddings.token_type_embeddings.weight'][types]
    x = norm(x, 'bert.embeddings.LayerNorm')
    p = torch.arange(len(x)).double()
    bias = -torch.tensor(slopes(H)).double()[:, None, None] * (p[:, None] - p[None]).abs()
    for i in range(c['num_hidden_layers']):
        l = f'bert.encoder.layer.{i}.'
        q, k, v = lin(x, l + 'attention.self.Wqkv').reshape(len(x), 3, H, D // H).unbind(1)
        x = norm(lin(attend(q, k, v, bias), l + 'attention.output.dense') + x, l + 'attention.output.LayerNorm')
        gate, up = lin(x, l + 'mlp.gated_layers').chunk(2, -1)
        x = norm(lin((F.gelu(gate) if c['hidden_act'] == 'gelu' else F.silu(gate)) * up, l + 'mlp.wo') + x, l + 'mlp.layernorm')
    t = 'cls.predictions.'
    x = norm(F.gelu(lin(x, t + 'transform.dense')), t + 'transform.LayerNorm')
    return F.linear(x, w['bert.embeddings.word_embeddings.weight' if c['tie_word_embeddings'] else t + 'decoder.weight'], w[t + 'decoder.bias'])
for folder, ids, types in json.load(sys.stdin):
    c = json.load(open(folder + '/config.json'))
    raw = open(folder + '/model.safetensors', 'rb').read()
    n, = struct.unpack('<Q', raw[:8])
    dtypes = {'F32': torch.float32, 'F16': torch.float16, 'BF16': torch.bfloat16}
    w = {k: torch.frombuffer(bytearray(raw[8 + n + v['data_offsets'][0]:8 + n + v['data_offsets'][1]]), dtype=dtypes[v['dtype']]).reshape(v['shape']).double() for k, v in json.loads(raw[8:8 + n]).items() if k != '__metadata__'}
    H, D = c['num_attention_heads'], c['hidden_size']
    ids = torch.tensor(ids)
    x = mistral(w['model.embed_tokens.weight'][ids]) if c['model_type'] == 'mistral' else bert(w['bert.embeddings.word_embeddings.weight'][ids])
    print(json.dumps(x.flatten().tolist()))
`;

const torch = spawnSync('/usr/bin/python3', ['-c', 'import torch'], { timeout: 60_000 }).status === 0;
const decoder = (change: Partial<DecoderConfig>): DecoderConfig => ({ ...tinyDecoder, initializerRange: 0.3, ...change });
const encoder = (change: Partial<EncoderConfig>): EncoderConfig => ({ ...dnabert2Config, vocabSize: 70, hiddenSize: 40, numLayers: 2, numHeads: 4, intermediateSize: 24, initializerRange: 0.2, ...change });

const inputIds = Uint32Array.from({ length: 23 }, (_, i) => 5 + ((i * 11) % 60));
const tokenTypeIds = inputIds.map((_, i) => (i > 9 ? 1 : 0));

const cases: readonly (readonly [name: string, DecoderConfig | EncoderConfig, 'float32' | 'bfloat16' | 'float16'])[] = [
  ['heads wider than hiddenSize / numHeads', decoder({ headDim: 10 }), 'float32'],
  ['a tied head, one key head for all, rope_theta of a million', decoder({ tiedHead: true, numKvHeads: 1, ropeTheta: 1e6 }), 'float32'],
  ['a window of 5, another epsilon', decoder({ slidingWindow: 5, rmsNormEps: 1e-3 }), 'float32'],
  ['a window of its own token alone, as many key heads as heads', decoder({ slidingWindow: 1, numKvHeads: 4 }), 'float32'],
  ['three heads of 6, an odd inner width, bfloat16', decoder({ hiddenSize: 20, numHeads: 3, numKvHeads: 3, headDim: 6, intermediateSize: 17 }), 'bfloat16'],
  ['one layer, a vocabulary padded to 128, float16', decoder({ numLayers: 1, vocabSize: 128 }), 'float16'],
  ['five heads: slopes of no power of two', encoder({ numHeads: 5 }), 'float32'],
  ['one head, no token types, SwiGLU with a bias, an untied decoder: as dnaGrinder', encoder({ numHeads: 1, typeVocabSize: 0, gate: 'silu', gatedLayersBias: true, tiedDecoder: false }), 'float32'],
  ['GEGLU with a bias, three token types, another epsilon', encoder({ gatedLayersBias: true, typeVocabSize: 3, layerNormEps: 1e-3 }), 'float32'],
  ['SwiGLU without a bias, a tied decoder, bfloat16', encoder({ gate: 'silu', intermediateSize: 31 }), 'bfloat16'],
  ['float16', encoder({ numHeads: 10 }), 'float16'],
];

(torch ? describe : describe.skip)(`against torch${torch ? '' : ' [skipped: /usr/bin/python3 has no torch]'}`, () => {
  let [device, folder]: [Device, string] = [undefined!, ''];
  let expected: number[][] = [];
  const folderOf = (i: number) => path.join(folder, `${i}`);
  beforeAll(async () => {
    device = await createWasmDevice({ threads: 1 });
    folder = mkdtempSync(path.join(tmpdir(), 'genomelm-variations-'));
    for (const [i, [, config, dtype]] of cases.entries()) {
      const model = 'numKvHeads' in config ? createModel(config, { device, seed: 7 }) : createModel(config, { device, seed: 7 });
      await savePretrained(model, folderOf(i), { dtype });
      free(model.params);
    }
    const { status, stdout, stderr } = spawnSync('/usr/bin/python3', ['-c', reference], { encoding: 'utf8', maxBuffer: 1 << 26, input: JSON.stringify(cases.map((_, i) => [folderOf(i), [...inputIds], [...tokenTypeIds]])) });
    if (status !== 0) throw new Error(stderr);
    expected = stdout.trim().split('\n').map((line) => JSON.parse(line) as number[]);
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await device.destroy();
  });

  test.each(cases.map(([name], i) => [name, i] as const))('%s', async (_name, i) => {
    const model: AnyModel = await loadPretrained(folderOf(i), { device });
    const types = !isDecoder(model) && model.config.typeVocabSize > 0;
    const batch = packBatch([{ inputIds, ...(types ? { tokenTypeIds } : {}) }]);
    const logits = isDecoder(model) ? causalLmLogits(model, batch) : maskedLmLogits(model, batch);
    const largest = expected[i].reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    allClose(Float32Array.from(await read(logits), (x) => x / largest), expected[i].map((x) => x / largest), 3e-5);
    free([logits, model.params]);
  });
});
