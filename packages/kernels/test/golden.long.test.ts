// All attention fixtures, where the project's shared data lie beside the repository; those in golden/ are a part of them.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { devices } from './devices';
import { attentionCases, checkAttention } from './golden';
import type { Device } from '../src';

const folder = join(__dirname, '../../../../shared/data/golden/models/attention');

if (!existsSync(folder)) process.stderr.write('SKIPPED attention fixtures: none at ../shared/data/golden/models/attention\n');

describe.each(Object.entries(devices))('on %s', (_kind, create) => {
  if (!existsSync(folder)) {
    test.skip('attention: no fixtures in ../shared', () => undefined);
    return;
  }
  let device: Device;
  beforeAll(async () => { device = await create(); });
  afterAll(() => device.destroy());
  test.each(attentionCases(folder))('attention equals flash-attention in float64: %s', (name) => checkAttention(device, folder, name));
});
