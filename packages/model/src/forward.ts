import { isDecoder } from './model';
import { forward as forwardDecoder, type DecoderModel } from './models/decoder';
import { forward as forwardEncoder, type EncoderModel, type ForwardOptions, type ForwardResult } from './models/encoder';
import type { Batch } from './batch';

/** Runs an encoder or a decoder on a packed batch. @throws RangeError for a batch that does not fit the model's tables */
export const forward = (model: EncoderModel | DecoderModel, batch: Batch, options: ForwardOptions = {}): ForwardResult =>
  isDecoder(model) ? forwardDecoder(model, batch, options) : forwardEncoder(model, batch, options);
