import { devices } from '../../../test/devices';
import { layerNorm } from '../../index';
import { describeOp } from '../../testing';

describeOp('layerNorm', [
  { name: 'rows of 14', inputs: { x: [6, 14], weight: [14], bias: [14] }, run: ({ x, weight, bias }) => layerNorm(x, weight, bias) },
  { name: 'rows of 64, epsilon 1e-5', inputs: { x: [37, 64], weight: [64], bias: [64] }, run: ({ x, weight, bias }) => layerNorm(x, weight, bias, { epsilon: 1e-5 }) },
  { name: 'three axes', inputs: { x: [2, 3, 20], weight: [20], bias: [20] }, run: ({ x, weight, bias }) => layerNorm(x, weight, bias) },
  { name: 'no rows', inputs: { x: [0, 8], weight: [8], bias: [8] }, run: ({ x, weight, bias }) => layerNorm(x, weight, bias), differentiable: false },
], devices);
