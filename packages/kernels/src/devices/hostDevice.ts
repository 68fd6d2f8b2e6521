import { checkData, checkLive, type Data, type Tensor } from '../tensor';
import type { Device } from '../device';

/** A device whose tensors lie in main memory, where the host looks at them. */
export interface Host extends Pick<Device, 'kind' | 'description' | 'memory' | 'limits' | 'allocate' | 'free' | 'run' | 'destroy'> {
  /** The tensor's elements, to be read and written at once. */
  view(tensor: Tensor): Data;
}

/** What all of them do alike: refuse freed tensors, count versions, copy in and out, and do nothing while warming up. */
export function hostDevice({ view, ...host }: Host): Device {
  let dry = false;
  return {
    ...host,
    write(tensor, data) {
      if (dry) return;
      checkLive('write', [tensor]);
      checkData(tensor, data);
      view(tensor).set(data);
      tensor.buffer.version++;
    },
    run(op, inputs, outputs, attributes) {
      if (dry) return;
      checkLive(op.name, [...inputs, ...outputs]);
      host.run(op, inputs, outputs, attributes);
      for (const index of op.mutates ?? []) inputs[index].buffer.version++;
    },
    async read(tensor) {
      checkLive('read', [tensor]);
      return view(tensor).slice();
    },
    async warmup(f) {
      dry = true;
      try {
        f();
      } finally {
        dry = false;
      }
    },
  };
}
