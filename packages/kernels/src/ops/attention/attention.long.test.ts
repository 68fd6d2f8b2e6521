import { devices } from '../../../test/devices';
import { attention } from '../../index';
import { describeOp } from '../../testing';

describeOp('attention', [
  { name: 'head dimension 64, sequences beyond one block', inputs: { qkv: [71, 3, 1, 64] }, run: ({ qkv }) => attention({ qkv }, { cuSeqlens: [0, 70, 71], alibiSlopes: [0.5] }).output },
], devices);
