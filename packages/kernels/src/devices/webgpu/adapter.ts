/** The graphics adapter behind a device, as the browser or Dawn reports it. */
export interface AdapterDescription {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  /** True where a CPU plays the GPU (SwiftShader, llvmpipe, WARP): right, but slow. */
  readonly software: boolean;
}

/** Asked for as high as the adapter goes; the defaults would cap a tensor at 128 MiB. The number of storage buffers stays at WebGPU's default of 8, so that no shader needs more than every adapter has. */
const wanted = ['maxBufferSize', 'maxStorageBufferBindingSize', 'maxComputeWorkgroupStorageSize', 'maxComputeInvocationsPerWorkgroup', 'maxComputeWorkgroupSizeX'] as const;

/** Used where the adapter offers them; nothing is computed with them unless it is asked for. */
const optional = ['timestamp-query'] as const satisfies GPUFeatureName[];

/** Requests adapter and device with the adapter's real limits. */
export async function openAdapter(gpu: GPU): Promise<{ device: GPUDevice; adapter: AdapterDescription }> {
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new Error('createWebGpuDevice: expected a GPU adapter, got none; update the graphics driver, or use createWasmDevice()');
  const offered = optional.filter((name) => adapter.features.has(name));
  const device = await adapter.requestDevice({ requiredLimits: Object.fromEntries(wanted.map((name) => [name, adapter.limits[name]])), requiredFeatures: offered });
  return { device, adapter: describeAdapter(adapter.info) };
}

function describeAdapter(info: GPUAdapterInfo): AdapterDescription {
  const { vendor, architecture, description } = info;
  const software = info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|basic render/i.test(`${architecture} ${description}`);
  return { vendor, architecture, description, software };
}
