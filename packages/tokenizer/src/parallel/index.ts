export { createEncoderPool } from './encoderPool';
export type { EncoderPool, EncoderPoolOptions } from './encoderPool';
