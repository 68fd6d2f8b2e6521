// All kernels of the device, one module. The order is their number between threads.
export { add, fill, mul, scale, sub } from '../../ops/elementwise/elementwise.wasm';
export { matmul, matmulPack } from '../../ops/matmul/matmul.wasm';
export { embedding, embeddingBackward, embeddingSort } from '../../ops/embedding/embedding.wasm';
export { layerNorm, layerNormBackward, layerNormParameters, layerNormParametersPartial } from '../../ops/layerNorm/layerNorm.wasm';
export { activation, activationBackward } from '../../ops/activation/activation.wasm';
export { glu, gluBackward } from '../../ops/glu/glu.wasm';
export { attention, attentionBackward } from '../../ops/attention/attention.wasm';
export { dropout } from '../../ops/dropout/dropout.wasm';
export { segmentMean, segmentMeanBackward } from '../../ops/segmentMean/segmentMean.wasm';
export { spread, sumPartial, sumPartials, sumRowPartials, sumRowsPartial } from '../../ops/sum/sum.wasm';
export { crossEntropyBackward, crossEntropyPartial } from '../../ops/crossEntropy/crossEntropy.wasm';
export { adamW } from '../../ops/adamW/adamW.wasm';
export { addRow, mulRow } from '../../ops/broadcast/broadcast.wasm';
export { copyInto, padInto } from '../../ops/rows/rows.wasm';
export { rmsNorm, rmsNormBackward, rmsNormWeightPartial } from '../../ops/rmsNorm/rmsNorm.wasm';
export { rotary } from '../../ops/rotary/rotary.wasm';
export { softmax, softmaxBackward } from '../../ops/softmax/softmax.wasm';
