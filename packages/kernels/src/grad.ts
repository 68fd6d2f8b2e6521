// Reverse-mode gradients: a tape remembers ops in order, holds what their backward reads, and lets go of it entry by entry.
import { accumulate, add, fill, scale } from './ops/elementwise/elementwise';
import { allocate } from './op';
import { release, scope, type Sync } from './scope';
import { recorder, state, withRecorder, type Holder, type Recorder, type TapeEntry } from './state';
import { sizeOf, type Tensor } from './tensor';
import { leaves, mapTree, type Tree } from './tree';
import type { Device, DeviceBuffer } from './device';

interface Entry extends TapeEntry {
  readonly name: string;
  readonly inputs: readonly Tensor[];
  readonly needs: readonly boolean[];
  readonly versions: readonly number[];
}

interface Tape {
  readonly recorder: Recorder;
  depends(tensor: Tensor): boolean;
  /** One gradient per wanted tensor, null where none arrived; no two share a buffer. */
  backward(seeds: readonly (readonly [output: Tensor, gradient: Tensor])[], wanted: readonly Tensor[]): (Tensor | null)[];
  close(): void;
}

function createTape(roots: readonly Tensor[]): Tape {
  const entries: Entry[] = [];
  const tracked = new Set(roots);
  const held = new Map<DeviceBuffer, number>();
  const owned = new Map<DeviceBuffer, Device>();
  const holder: Holder = { holds: (buffer) => held.has(buffer), own: (device, buffer) => void owned.set(buffer, device) };
  state.holders.push(holder);

  const letGo = ({ saved }: Entry) => {
    for (const { buffer } of saved) {
      const left = held.get(buffer)! - 1;
      if (left > 0) {
        held.set(buffer, left);
        continue;
      }
      held.delete(buffer);
      const device = owned.get(buffer);
      if (device && owned.delete(buffer)) release(device, buffer);
    }
  };

  return {
    depends: (tensor) => tracked.has(tensor),
    recorder: {
      record(name, inputs, _outputs, entry) {
        const needs = inputs.map((input) => tracked.has(input));
        if (!needs.includes(true)) return;
        if (!entry) throw new TypeError(`${name}: expected an op with a gradient on the way from a parameter to the loss, got one without; wrap its input in stopGradient() if that is meant`);
        const made = entry(needs);
        for (const output of made.differentiable) tracked.add(output);
        for (const { buffer } of made.saved) held.set(buffer, (held.get(buffer) ?? 0) + 1);
        entries.push({ ...made, name, inputs, needs, versions: made.saved.map(({ buffer }) => buffer.version) });
      },
    },
    backward: (seeds, wanted) => withRecorder(null, () => scope<(Tensor | null)[]>(() => {
      const gradients = createGradients();
      for (const [output, gradient] of seeds) gradients.give(output, gradient);
      const keep = new Set(wanted);
      for (let entry; (entry = entries.pop()); letGo(entry)) {
        const dOutputs = entry.differentiable.map((output) => gradients.of(output));
        if (!dOutputs.some(Boolean)) continue;
        checkSaved(entry);
        const { backward, inputs, needs } = entry;
        const dInputs = scope<readonly (Tensor | null)[]>(() => backward(dOutputs, needs));
        dInputs.forEach((gradient, i) => gradient && (needs[i] ? gradients.give(inputs[i], gradient) : gradients.discard(gradient)));
        for (const output of entry.differentiable) if (!keep.has(output)) gradients.forget(output);
      }
      return gradients.take(wanted);
    })),
    close() {
      for (const entry of entries.splice(0)) letGo(entry);
      state.holders.splice(state.holders.indexOf(holder), 1);
    },
  };
}

function checkSaved({ name, saved, versions }: Entry): void {
  saved.forEach(({ buffer }, i) => {
    if (buffer.version !== versions[i]) throw new Error(`${name}: expected its saved tensors unchanged until the backward pass, got one that was ${buffer.version < 0 ? 'freed' : 'overwritten'}; update it after valueAndGrad returned`);
  });
}

/** The gradients of one backward pass. Buffers may be shared (the backward of add returns one tensor twice), so uses are counted per buffer. */
function createGradients() {
  const mine = state.scopes.at(-1)!; // the pass's own scope: only its buffers may be written to or freed early
  const gradients = new Map<Tensor, Tensor>();
  const uses = new Map<DeviceBuffer, number>();
  const use = ({ buffer }: Tensor) => void uses.set(buffer, (uses.get(buffer) ?? 0) + 1);
  const drop = ({ buffer, device }: Tensor) => {
    const left = (uses.get(buffer) ?? 0) - 1;
    if (left > 0) {
      uses.set(buffer, left);
      return;
    }
    uses.delete(buffer);
    if (mine.delete(buffer)) release(device, buffer);
  };
  return {
    of: (tensor: Tensor) => gradients.get(tensor) ?? null,
    give(target: Tensor, gradient: Tensor) {
      const before = gradients.get(target);
      use(gradient);
      if (!before) {
        gradients.set(target, gradient);
        return;
      }
      if (before.buffer !== gradient.buffer && uses.get(before.buffer) === 1 && mine.has(before.buffer)) accumulate(before, gradient);
      else {
        const sum = add(before, gradient);
        use(sum);
        gradients.set(target, sum);
        drop(before);
      }
      drop(gradient);
    },
    discard(gradient: Tensor) {
      if (uses.has(gradient.buffer)) return;
      use(gradient);
      drop(gradient);
    },
    forget(tensor: Tensor) {
      const gradient = gradients.get(tensor);
      if (gradient && gradients.delete(tensor)) drop(gradient);
    },
    /** Copies where two wanted tensors share a gradient, else freeing or updating one would change the other. */
    take(wanted: readonly Tensor[]): (Tensor | null)[] {
      const given = new Set<DeviceBuffer>();
      return wanted.map((tensor) => {
        const gradient = gradients.get(tensor);
        if (!gradient) return null;
        const shared = given.has(gradient.buffer) || !mine.has(gradient.buffer);
        given.add(gradient.buffer);
        return shared ? scale(gradient, 1) : gradient;
      });
    },
  };
}

/**
 * Turns a scalar loss of parameters into a function that also returns its gradients, shaped like the parameters. An unused parameter gets zeros.
 * `aux` passes other results through. Value, gradients and aux belong to the caller's scope.
 * @throws TypeError when the loss does not depend on the parameters, is no scalar, or the tree holds one tensor twice (tied weights are one leaf).
 */
export function valueAndGrad<P extends Tree, X = undefined>(loss: (p: P) => Tensor | { loss: Tensor; aux: X }): (p: P) => { value: Tensor; grads: P; aux: X } {
  return (p) => scope(() => {
    const roots = leaves(p);
    if (new Set(roots).size < roots.length) throw new TypeError('valueAndGrad: expected each parameter once in the tree, got one tensor under two keys; tied weights are one leaf, used twice');
    const tape = createTape(roots);
    try {
      const result = withRecorder(tape.recorder, () => scope<unknown>(() => loss(p)));
      const { loss: value, aux } = (result !== null && typeof result === 'object' && 'loss' in result ? result : { loss: result, aux: undefined }) as { loss: Tensor; aux: X };
      if (sizeOf(value) !== 1) throw new TypeError(`valueAndGrad: expected a loss of one element, got shape [${value.shape.join(', ')}]; sum it`);
      if (!tape.depends(value)) throw new TypeError('valueAndGrad: expected a loss that depends on the parameters, got one that does not; is it behind stopGradient()?');
      const gradients = tape.backward([[value, fill(allocate(value.device, value), 1)]], roots);
      let next = 0;
      const grads = mapTree(p, (leaf) => gradients[next++] ?? fill(allocate(leaf.device, leaf), 0));
      return { value, grads, aux } as never;
    } finally {
      tape.close();
    }
  });
}

/** Notes which tensors a function reads from outside itself, in order of first use. */
function createSpy(then?: Recorder) {
  const made = new Set<Tensor>();
  const outside = new Set<Tensor>();
  const spy: Recorder = {
    record(name, inputs, outputs, entry) {
      for (const input of inputs) if (!made.has(input)) outside.add(input);
      for (const output of outputs) made.add(output);
      then?.record(name, inputs, outputs, entry);
    },
  };
  return { spy, made, outside };
}

/**
 * Runs `f(x)` keeping nothing of its inside, and runs it again in the backward pass (Chen et al. 2016, arXiv 1604.06174).
 * What changes from call to call must come in as `x`: a closure over a loop variable would read its last value the second time.
 * @throws Error when the second run reads other tensors than the first.
 */
export function checkpoint<X, T>(f: (x: X) => Sync<T>, x: X): T {
  const outer = recorder();
  if (!outer) return scope<T>(() => f(x));
  const first = createSpy();
  const result = withRecorder(first.spy, () => scope<T>(() => f(x)));
  const inputs = [...first.outside];
  const outputs = leaves(result).filter((output) => first.made.has(output));
  outer.record('checkpoint', inputs, outputs, () => ({
    saved: inputs,
    differentiable: outputs,
    backward(dOutputs, needs) {
      const tape = createTape(inputs.filter((_, i) => needs[i]));
      try {
        const second = createSpy(tape.recorder);
        const again = leaves(withRecorder(second.spy, () => scope<T>(() => f(x)))).filter((output) => second.made.has(output));
        const read = [...second.outside];
        if (read.length !== inputs.length || read.some((tensor, i) => tensor !== inputs[i])) throw new Error('checkpoint: expected the function to read the same tensors again, got others; pass what changes as its argument, do not capture a variable that is reassigned');
        const seeds = again.flatMap((output, i) => (dOutputs[i] ? [[output, dOutputs[i]] as const] : []));
        return tape.backward(seeds, inputs).map((gradient, i) => (needs[i] ? gradient : null));
      } finally {
        tape.close();
      }
    },
  }));
  return result;
}

/** The same elements under another shape, `[...]`, of as many elements, sharing the buffer. The tape knows it; a hand-made `{ ...tensor, shape }` would lose its gradient. */
export function reshape(tensor: Tensor, shape: readonly number[]): Tensor {
  const view: Tensor = { ...tensor, shape: [...shape] };
  if (sizeOf(view) !== sizeOf(tensor)) throw new RangeError(`reshape: expected a shape of ${sizeOf(tensor)} elements, got [${shape.join(', ')}]; reshape() keeps all elements; slice() takes some`);
  recorder()?.record('reshape', [tensor], [view], () => ({ saved: [], differentiable: [view], backward: ([d]) => [reshape(d!, tensor.shape)] }));
  return view;
}

/** The same tensor, through which no gradient flows. */
export const stopGradient = (tensor: Tensor): Tensor => ({ ...tensor });
