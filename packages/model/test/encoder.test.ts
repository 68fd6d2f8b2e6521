import path from 'node:path';
import { devices, webgpu } from './devices';
import { describeDnabert2, describeDnaGrinder } from './encoderGolden';
import { committed } from './golden';

describeDnabert2('DNABERT-2, 4 layers of 64', path.join(committed, 'dnabert2/a_h64_l4_h4'), { wasm: devices.wasm }); // the other devices in the long tests
describeDnaGrinder('dnaGrinder, 3 layers of 64', path.join(committed, 'dnagrinder/a_h64_l3_h4_bias'), { ...devices, ...webgpu });
