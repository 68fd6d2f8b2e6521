// Gradients of whole encoders, of every variant, against finite differences in float64.
import { gradientCheck } from '@genomelm/kernels/testing';
import { classificationLoss, createModel, maskedLmLoss, packBatch, type Params } from '../src';
import { sequences, tiny, variants } from './tinyEncoder';
import type { Device } from '@genomelm/kernels';

const batch = packBatch(sequences);

describe('gradients equal finite differences', () => {
  test.each(Object.entries(variants))('of the classifier: %s', async (_name, config) => {
    const make = (device: Device): Params => createModel({ ...config, initializerRange: 0.5, padTokenId: undefined! }, { device, seed: 3, maskedLm: false, classes: 3 }).params;
    expect(await gradientCheck(make, (params) => classificationLoss({ config: { ...config, padTokenId: undefined! }, params }, batch, [0, 2, 1, 2]), { samples: 6 })).toBeLessThan(1e-6);
  });

  test('of the masked LM', async () => {
    const labels = batch.inputIds.map((id, i) => (i % 4 === 1 ? id : 0));
    const make = (device: Device): Params => createModel({ ...tiny, initializerRange: 0.5 }, { device, seed: 3 }).params;
    expect(await gradientCheck(make, (params) => maskedLmLoss({ config: tiny, params }, batch, labels), { samples: 6 })).toBeLessThan(1e-6);
  });
});
