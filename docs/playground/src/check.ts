import { createReferenceDevice, type Device } from '@genomelm/kernels';
import { evaluateCase, relativeError } from '@genomelm/kernels/testing';
import { cases } from './cases';

export interface Outcome {
  readonly ok: boolean;
  /** Largest relative difference of value and gradients to the reference. */
  readonly difference?: number;
  readonly error?: string;
  readonly milliseconds: number;
}

export interface DeviceReport {
  readonly description: string;
  readonly outcomes: Readonly<Record<string, Outcome>>;
}

/** Relative error of a value. Gradients are sums of many terms: five times that, as in the package's own tests. */
const defaultTolerance = 2e-6;

/** Runs every case on a device and on the reference, without gradients where the device has none. A device that cannot be made fails every case, with the reason. */
export async function checkDevice(create: () => Promise<Device>, { gradients = true } = {}): Promise<DeviceReport> {
  const outcomes: Record<string, Outcome> = {};
  let device: Device;
  try {
    device = await create();
  } catch (error) {
    for (const { name } of cases) outcomes[name] = { ok: false, error: String(error), milliseconds: 0 };
    return { description: String(error), outcomes };
  }
  for (const each of cases) {
    const opCase = gradients ? each : { ...each, differentiable: false };
    const { tolerance = defaultTolerance } = opCase;
    const expected = await evaluateCase(opCase, createReferenceDevice());
    const began = performance.now();
    const elapsed = () => Math.round(10 * (performance.now() - began)) / 10;
    try {
      const actual = await evaluateCase(opCase, device);
      const ofValue = relativeError(actual.value, expected.value);
      const ofGradients = Math.max(0, ...Object.keys(expected.gradients).map((name) => relativeError(actual.gradients[name], expected.gradients[name])));
      outcomes[opCase.name] = { ok: ofValue <= tolerance && ofGradients <= 5 * tolerance, difference: Math.max(ofValue, ofGradients), milliseconds: elapsed() };
    } catch (error) {
      outcomes[opCase.name] = { ok: false, error: String(error), milliseconds: elapsed() };
    }
  }
  await device.destroy();
  return { description: device.description, outcomes };
}
