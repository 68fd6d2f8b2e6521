// What the host holds while a checkpoint is loaded, and the formats against torch itself.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runInNewContext } from 'node:vm';
import { setFlagsFromString } from 'node:v8';
import { createReferenceDevice, type Device } from '@genomelm/kernels';
import { dnabert2Config, loadPretrained, savePretrained, toFloat32, type EncoderConfig } from '../src';
import { modelSpecs, type Params } from '../src/model';
import { flattenSpecs } from '../src/parameters';
import { fileSource, openOrClose } from '../src/weights/byteSource';
import { openTorchFile } from '../src/weights/pickle';
import { layOut } from '../src/weights/safetensors';
import { shared } from './golden';

let folder: string;
beforeAll(() => { folder = mkdtempSync(path.join(tmpdir(), 'genomelm-long-')); });
afterAll(() => rmSync(folder, { recursive: true }));

/** A device that takes writes and keeps nothing: what is left is what loading itself holds. */
const forgetful = (write: Device['write']): Device => ({ ...createReferenceDevice(), memory: { live: 0, peak: 0, reserved: 0 }, allocate: (byteLength) => ({ byteLength, version: 0 }), free: () => undefined, write });

test('loading holds a tensor as it is stored and as the device takes it, never the file', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const config: EncoderConfig = { ...dnabert2Config, numLayers: 8 };
  const { header, names, dataBytes } = layOut(new Map(flattenSpecs<Params>(modelSpecs(config, { maskedLm: true })).map(([name, { shape }]) => [name, shape])));
  const file = path.join(folder, 'model.safetensors');
  writeFileSync(file, header);
  truncateSync(file, header.length + dataBytes); // zeros that this process never held
  writeFileSync(path.join(folder, 'config.json'), JSON.stringify({ vocab_size: 4096, hidden_size: 768, num_hidden_layers: 8, num_attention_heads: 12, intermediate_size: 3072 }));
  expect(dataBytes).toBeGreaterThan(300e6);
  const largest = 4 * 6144 * 768;
  const held = () => (collect(), collect(), process.memoryUsage().arrayBuffers); // buffers are given back beside the program: the second collection waits for the first one's
  const before = held();
  let most = 0;
  await loadPretrained(folder, { device: forgetful((_tensor, { byteLength }) => { if (byteLength === largest) most = Math.max(most, held() - before); }) });
  process.stderr.write(`loading ${(dataBytes / 1e6).toFixed(0)} MB in ${names.length} tensors held ${(most / 1e6).toFixed(1)} MB beside the device\n`);
  expect(most).toBeGreaterThanOrEqual(largest);
  expect(most).toBeLessThan(2.5 * largest);
});

const torch = spawnSync('/usr/bin/python3', ['-c', 'import torch'], { timeout: 60_000 }).status === 0;
const python = (code: string, ...args: string[]) => {
  const { status, stdout, stderr } = spawnSync('/usr/bin/python3', ['-c', code, ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout.trim();
};

/** The format as its specification has it, in eight lines of Python: Debian has no package safetensors. */
const readSafetensors = `
import json, struct, sys, torch
def load(path):
    raw = open(path, 'rb').read()
    n, = struct.unpack('<Q', raw[:8])
    header = json.loads(raw[8:8 + n])
    dtypes = {'F32': torch.float32, 'F16': torch.float16, 'BF16': torch.bfloat16}
    return {k: torch.frombuffer(bytearray(raw[8 + n + v['data_offsets'][0]:8 + n + v['data_offsets'][1]]), dtype=dtypes[v['dtype']]).reshape(v['shape']) for k, v in header.items() if k != '__metadata__'}
`;

(torch ? describe : describe.skip)(`torch${torch ? '' : ' [skipped: /usr/bin/python3 has no torch]'}`, () => {
  const golden = shared('dnabert2/a_h64_l4_h4');

  (golden ? test : test.skip)('reads what savePretrained wrote: names, shapes and bits of upstream\'s own state dict', async () => {
    const device = createReferenceDevice();
    const directory = path.join(folder, 'saved');
    await savePretrained(await loadPretrained(golden!, { device }), directory);
    const answer = python(`${readSafetensors}
ours, theirs = load(sys.argv[1]), torch.load(sys.argv[2])
theirs.pop('cls.predictions.decoder.weight')
assert set(ours) == set(theirs), set(ours) ^ set(theirs)
assert all(torch.equal(ours[k], theirs[k]) for k in ours)
config = json.load(open(sys.argv[3]))
print(len(ours), config['architectures'][0], config['model_type'])`, path.join(directory, 'model.safetensors'), path.join(golden!, 'pytorch_model.bin'), path.join(directory, 'config.json'));
    expect(answer).toBe('53 BertForMaskedLM bert');
  });

  test('writes pickles that are read: half precision, integers, transposed and shared storages, zip64', async () => {
    const file = path.join(folder, 'torch.bin');
    const expected = JSON.parse(python(`
import json, sys, torch
from collections import OrderedDict
torch.manual_seed(0)
base = torch.randn(6, 5)
d = OrderedDict(f32=base, f16=base.half(), bf16=base.bfloat16(), i64=torch.arange(7), f64=torch.randn(3).double(), bool=torch.tensor([True, False]), u8=torch.arange(3).byte(), i8=-torch.arange(3).char(), i16=-torch.arange(3).short(), i32=-torch.arange(3).int(), parameter=torch.nn.Parameter(torch.randn(2, 3)), transposed=base.t(), row=base[2], column=base[:, 1], scalar=torch.tensor(2.5), empty=torch.zeros(0, 3), again=base)
torch.save(d, sys.argv[1])
print(json.dumps({k: [list(v.shape), v.float().reshape(-1).tolist()] for k, v in d.items()}))`, file)) as Record<string, [number[], number[]]>;
    const weights = await openTorchFile(await fileSource(file));
    for (const [name, [shape, values]] of Object.entries(expected)) {
      const stored = await weights.read(name);
      const integers = { I64: BigInt64Array, I32: Int32Array, I16: Int16Array, I8: Int8Array, U8: Uint8Array, BOOL: Uint8Array }[stored.dtype];
      const read = integers ? Array.from(new integers(new Uint8Array(stored.data).buffer), Number) : [...toFloat32(stored)];
      expect([name, stored.shape, read]).toEqual([name, shape, values]);
    }
    await weights.close();
  });

  (golden ? test : test.skip)('reads pickles in several files with their index, as transformers 4 wrote large models', async () => {
    const directory = path.join(folder, 'several');
    python(`import json, os, sys, torch, shutil
from collections import OrderedDict
weights = torch.load(sys.argv[1] + '/pytorch_model.bin')
names = list(weights)
os.makedirs(sys.argv[2])
places = {name: f'pytorch_model-0000{1 + i % 2}-of-00002.bin' for i, name in enumerate(names)}
for file in set(places.values()):
  torch.save(OrderedDict((n, weights[n]) for n in names if places[n] == file), os.path.join(sys.argv[2], file))
json.dump({'metadata': {}, 'weight_map': places}, open(sys.argv[2] + '/pytorch_model.bin.index.json', 'w'))
shutil.copy(sys.argv[1] + '/config.json', sys.argv[2])`, golden!, directory);
    const device = createReferenceDevice();
    expect((await loadPretrained(directory, { device })).fingerprint).toBe((await loadPretrained(golden!, { device })).fingerprint);
  });

  test.each([
    ['a module', 'torch.save(torch.nn.Linear(2, 2), sys.argv[1])', '"torch.nn.modules.linear Linear"'],
    ['an object that runs code', 'class X:\n  def __reduce__(self): return (os.system, ("touch " + sys.argv[1] + ".ran",))\ntorch.save({"w": X()}, sys.argv[1])', '"posix system"'],
    ['the old format', 'torch.save({"w": torch.zeros(2)}, sys.argv[1], _use_new_zipfile_serialization=False)', 'got the format before that; save the weights again'],
    ['a nested state dict', 'torch.save({"model": {"w": torch.zeros(2)}, "epoch": 3}, sys.argv[1])', 'got a dictionary under "model"'],
  ])('%s is refused', async (_name, code, message) => {
    const file = path.join(folder, 'refused.bin');
    python(`import os, sys, torch\n${code}`, file);
    await expect(fileSource(file).then((source) => openOrClose(source, openTorchFile))).rejects.toThrow(message);
    expect(() => readFileSync(`${file}.ran`)).toThrow('ENOENT');
  });

  test('reads half precision that torch wrote, to the bit', async () => {
    const file = path.join(folder, 'half.bin');
    python('import sys, torch\nbits = torch.arange(65536, dtype=torch.int32).to(torch.int16)\ntorch.save({"h": bits.clone().view(torch.float16), "b": bits.clone().view(torch.bfloat16), "hf": bits.view(torch.float16).float(), "bf": bits.view(torch.bfloat16).float()}, sys.argv[1])', file);
    const weights = await openTorchFile(await fileSource(file));
    for (const [half, wide] of [['h', 'hf'], ['b', 'bf']]) {
      const [ours, theirs] = [toFloat32(await weights.read(half)), toFloat32(await weights.read(wide))];
      const wrong = ours.findIndex((value, i) => !Object.is(value, theirs[i]));
      expect(wrong).toBe(-1);
    }
    await weights.close();
  });
});
