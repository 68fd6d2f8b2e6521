import { state } from './state';
import { leaves, type Tree } from './tree';
import type { Device, DeviceBuffer } from './device';

/** Refuses promises at compile time: a scope ends when its function returns, not when a promise settles. */
export type Sync<T> = T extends PromiseLike<unknown> ? never : T;

/**
 * Runs `f` and frees all that it allocated, except what it returns (the surrounding scope owns that) and what an open tape saved.
 * Ownership is by buffer: returning a view keeps its whole buffer.
 */
export function scope<T>(f: () => Sync<T>): T {
  const mine = new Map<DeviceBuffer, Device>();
  state.scopes.push(mine);
  let result: T | undefined;
  try {
    result = f();
    if (typeof (result as { then?: unknown } | undefined)?.then === 'function') {
      result = undefined;
      throw new TypeError('scope: expected a synchronous function, got a promise; await outside of the scope');
    }
    return result as T;
  } finally {
    state.scopes.pop();
    const parent = state.scopes.at(-1);
    for (const { buffer, device } of leaves(result)) if (mine.delete(buffer)) parent?.set(buffer, device);
    for (const [buffer, device] of mine) release(device, buffer);
  }
}

/** The innermost scope owns what is allocated; without a scope the caller does. */
export const track = (device: Device, buffer: DeviceBuffer): void => void state.scopes.at(-1)?.set(buffer, device);

/** The owner gives a buffer up: an open tape that still needs it takes it, else it is freed. */
export function release(device: Device, buffer: DeviceBuffer): void {
  const holder = state.holders.find((candidate) => candidate.holds(buffer));
  if (holder) holder.own(device, buffer);
  else device.free(buffer);
}

/** Frees every tensor in a tree now. A view frees its whole buffer; what an open tape saved lives until its backward. */
export function free(tree: Tree): void {
  for (const { device, buffer } of leaves(tree)) {
    if (buffer.version < 0) continue;
    for (const open of state.scopes) open.delete(buffer);
    release(device, buffer);
  }
}
