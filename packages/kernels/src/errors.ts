/** An op has no kernel on a device, and nothing else may stand in for it. */
export class UnsupportedOpError extends Error {
  override readonly name = 'UnsupportedOpError';
  constructor(readonly op: string, readonly device: string, remedy = 'use another device') {
    super(`${op}: expected a device with this op, got ${device}; ${remedy}`);
  }
}

/** The device went away (a lost GPU, an ended worker): nothing on it can be read any more. */
export class DeviceLostError extends Error {
  override readonly name = 'DeviceLostError';
}

/** Allocators know no op: a RangeError of theirs gets its name in place of their own. */
export function allocatingFor<T>(op: string, allocate: () => T): T {
  try {
    return allocate();
  } catch (cause) {
    throw cause instanceof RangeError ? new RangeError(`${op}: ${cause.message.replace(/^\w+: /, '')}`, { cause }) : cause;
  }
}
