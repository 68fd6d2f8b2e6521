export { type OpCase, describeOp, testNumbers } from './describeOp';
export { gradientCheck } from './gradientCheck';
export { allClose, relativeError } from './allClose';
