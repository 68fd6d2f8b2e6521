// With shuffled labels nothing is found; that the motif itself is: sequenceClassifier.test.ts.
import { createWasmDevice } from '@genomelm/kernels';
import { plantedMotif, scoreOf, shuffleLabels } from './motif';

test('with shuffled labels the planted motif gives an MCC of about 0', async () => {
  const device = await createWasmDevice({ threads: 1 }), [train, dev, held] = [plantedMotif(1200, 1), plantedMotif(200, 2), plantedMotif(400, 3)];
  expect(Math.abs(await scoreOf(shuffleLabels(train, 9), dev, held, device))).toBeLessThan(3 / Math.sqrt(held.length)); // three standard deviations of chance
  await device.destroy();
});
