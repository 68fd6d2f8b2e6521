// Upstream's own pytorch_model.bin against its safetensors, and damage to both layers of the file: thousands of cases.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { FormatError } from '../errors';
import { bytesSource, fileSource } from './byteSource';
import { openTorchFile, parsePickle } from './pickle';
import { parseSafetensors } from './safetensors';
import { readZip } from './zip';

const folder = path.join(__dirname, '../../../../../shared/data/golden/models/dnabert2/a_h64_l4_h4');
const there = existsSync(folder);
if (!there) process.stderr.write('SKIPPED pytorch_model.bin: no fixtures at ../shared/data/golden/models/dnabert2/a_h64_l4_h4\n');

(there ? describe : describe.skip)("upstream's pytorch_model.bin", () => {
  const file = path.join(folder, 'pytorch_model.bin');

  test('holds the tensors of its safetensors to the bit, and the tied decoder once more', async () => {
    const weights = await openTorchFile(await fileSource(file));
    const expected = parseSafetensors(readFileSync(path.join(folder, 'model.safetensors')));
    expect([...weights.tensors.keys()].filter((name) => !expected.has(name))).toEqual(['cls.predictions.decoder.weight']);
    for (const [name, { dtype, shape, data }] of expected) {
      const stored = await weights.read(name);
      expect([name, stored.dtype, stored.shape, Buffer.compare(stored.data, data)]).toEqual([name, dtype, shape, 0]);
    }
    const [decoder, words] = await Promise.all([weights.read('cls.predictions.decoder.weight'), weights.read('bert.embeddings.word_embeddings.weight')]);
    expect(decoder).toEqual(words);
    await weights.close();
  });

  test('any damage to bytes of the pickle gives other tensors or a FormatError, never another failure', async () => {
    const zip = await readZip(bytesSource(readFileSync(file)));
    const pickle = await zip.read(zip.names.find((name) => name.endsWith('data.pkl'))!);
    const damage = fc.array(fc.tuple(fc.nat({ max: pickle.length - 1 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 });
    let refused = 0;
    fc.assert(fc.property(damage, fc.nat({ max: pickle.length }), fc.boolean(), (changes, cut, truncate) => {
      const bad = pickle.slice(0, truncate ? cut : pickle.length);
      for (const [at, value] of changes) if (at < bad.length) bad[at] = value;
      try {
        for (const { shape, strides, offset, storageElements } of parsePickle(bad).values()) {
          if (shape.every((axis) => axis > 0)) expect(shape.reduce((last, axis, i) => last + (axis - 1) * strides[i], offset)).toBeLessThan(storageElements);
        }
      } catch (error) {
        refused++;
        expect(error).toBeInstanceOf(FormatError);
      }
    }), { numRuns: 20_000 });
    expect(refused).toBeGreaterThan(10_000);
  });

  test('any damage to the zip around it gives the same tensors, or a FormatError', async () => {
    const whole = readFileSync(file);
    const good = await openTorchFile(bytesSource(whole));
    const expected = new Map(await Promise.all([...good.tensors.keys()].map(async (name) => [name, (await good.read(name)).data] as const)));
    const small = [...expected].filter(([, data]) => data.length < 1000).map(([name]) => name);
    const directory = whole.length - 8000; // the zip's directory and its end record
    await fc.assert(fc.asyncProperty(fc.integer({ min: directory, max: whole.length - 1 }), fc.nat({ max: 255 }), fc.nat({ max: 10_000 }), async (at, value, name) => {
      const bad = Uint8Array.from(whole);
      bad[at] = value;
      try {
        const weights = await openTorchFile(bytesSource(bad));
        const chosen = small[name % small.length];
        expect(Buffer.compare((await weights.read(chosen)).data, expected.get(chosen)!)).toBe(0);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
      }
    }), { numRuns: 2_000 });
  });
});

test('random bytes are no zip, and a pickle of nothing at most', async () => {
  await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
    try {
      expect(parsePickle(Uint8Array.from([0x80, 2, ...bytes])).size).toBe(0);
    } catch (error) {
      expect(error).toBeInstanceOf(FormatError);
    }
    await expect(openTorchFile(bytesSource(bytes))).rejects.toThrow(FormatError);
  }), { numRuns: 20_000 });
});
