// WebGPU reports errors later and elsewhere. This remembers the first one: what was computed after it is not to be trusted.
import { DeviceLostError } from '../../errors';

export interface Failures {
  /** Runs `f`; an error of this kind that the GPU finds in it becomes the device's failure. */
  check<T>(filter: GPUErrorFilter, describe: (message: string) => string, f: () => T): T;
  /** The same for work that ends later. */
  watch(work: Promise<unknown>, describe: (message: string) => string): void;
  /** What was sent last, for the message about a GPU that is lost: `matmul, sum`. */
  during: string;
  /** Waits for every report under way, and throws the failure if there is one. */
  settle(): Promise<void>;
  /** The device was destroyed by who made it. */
  close(): void;
}

/** @param memory - what tensors take, for the message about a GPU that is lost */
export function createFailures(device: GPUDevice, memory: () => { readonly live: number; readonly peak: number }): Failures {
  let failure: Error | undefined;
  const reports = new Set<Promise<void>>();
  const remember = (message: string, cause?: unknown) => { failure ??= new Error(message, { cause }); };
  const expectReport = (work: Promise<unknown>) => {
    const report: Promise<void> = work.then(() => void reports.delete(report), () => void reports.delete(report));
    reports.add(report);
  };
  let closed = false;
  void device.lost.then(({ reason, message }) => {
    if (closed) return;
    const during = failures.during && `, at the latest during ${failures.during}`;
    const { live, peak } = memory();
    failure = new DeviceLostError(`webgpu: expected a working GPU, got one that was lost (${message || reason}${during}, with ${live} bytes in tensors, ${peak} at most); create a new device, and use smaller batches if it happens again`, { cause: failure });
  });
  device.addEventListener('uncapturederror', ({ error }) => remember(`webgpu: expected no error of the GPU, got "${error.message}"`));
  const failures: Failures = {
    during: '',
    check(filter, describe, f) {
      device.pushErrorScope(filter);
      try {
        return f();
      } finally {
        expectReport(device.popErrorScope().then((error) => error && remember(describe(error.message))));
      }
    },
    watch: (work, describe) => expectReport(work.catch((error: Error) => remember(describe(error.message), error))),
    async settle() {
      while (reports.size) await Promise.all(reports);
      if (failure) throw failure;
    },
    close() {
      closed = true;
      remember('webgpu: expected a device in use, got one that was destroyed; read what is wanted before destroy(), or create a new device');
    },
  };
  return failures;
}
