// The table of ops, in reading order.
export { accumulate, add, fill, mul, scale, sub } from './elementwise/elementwise';
export { addRow, mulRow } from './broadcast/broadcast';
export { concat, slice } from './rows/rows';
export { linear, matmul } from './matmul/matmul';
export { embedding } from './embedding/embedding';
export { layerNorm } from './layerNorm/layerNorm';
export { rmsNorm } from './rmsNorm/rmsNorm';
export { rotary, rotaryTable } from './rotary/rotary';
export { gelu, silu, tanh } from './activation/activation';
export { geglu, swiglu } from './glu/glu';
export { attention, type AttentionInputs, type AttentionOptions } from './attention/attention';
export { alibiSlopes } from './attention/alibiSlopes';
export { softmax } from './softmax/softmax';
export { dropout, type DropoutKey } from './dropout/dropout';
export { segmentMean } from './segmentMean/segmentMean';
export { sum, sumRows, sumSquares } from './sum/sum';
export { crossEntropy } from './crossEntropy/crossEntropy';
export { adamW, squaredNorm, type AdamWOptions } from './adamW/adamW';
