export { type OpCase, type OpOutcome, describeOp, evaluateCase, testNumbers } from './describeOp';
export { gradientCheck } from './gradientCheck';
export { allClose, relativeError } from './allClose';
