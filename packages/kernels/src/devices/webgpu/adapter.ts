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

/** What products of reduced precision need. */
const needed = { float16: ['shader-f16'], subgroupMatrix: ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix'] } as const;

/** A matrix unit as Dawn's adapters describe them. */
interface MatrixConfig {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** Requests adapter and device with the adapter's real limits. */
export async function openAdapter(gpu: GPU, { reducedPrecision, subgroups }: { readonly reducedPrecision?: keyof typeof needed; readonly subgroups?: boolean } = {}): Promise<{ device: GPUDevice; adapter: AdapterDescription }> {
  if (typeof (gpu as GPU | undefined)?.requestAdapter !== 'function') throw new TypeError('createWebGpuDevice: expected a GPU object, got none; pass navigator.gpu in a browser, or create([]) of the npm package webgpu in Node');
  if (reducedPrecision && !(reducedPrecision in needed)) throw new TypeError(`createWebGpuDevice: expected reducedPrecision ${Object.keys(needed).join(' or ')}, got ${String(reducedPrecision)}`);
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new Error('createWebGpuDevice: expected a GPU adapter, got none; update the graphics driver, or use createWasmDevice()');
  const required = [...new Set([...(reducedPrecision ? needed[reducedPrecision] : []), ...(subgroups ? ['subgroups'] : [])])];
  const missing = required.filter((name) => !adapter.features.has(name));
  if (missing.length) throw new TypeError(`createWebGpuDevice: expected a GPU with ${missing.join(' and ')} for ${reducedPrecision ? `reducedPrecision ${reducedPrecision}` : 'rows by subgroups'}, got ${adapter.info.vendor} ${adapter.info.architecture} without; leave the option out`);
  if (reducedPrecision === 'subgroupMatrix' && !hasMatrices(adapter.info)) throw new TypeError(`createWebGpuDevice: expected a GPU with subgroups of 32 and 16 x 16 x 16 matrices of f16 with sums in f32, got ${adapter.info.vendor} ${adapter.info.architecture} with others; leave the option out`);
  const offered = optional.filter((name) => adapter.features.has(name));
  const device = await adapter.requestDevice({ requiredLimits: Object.fromEntries(wanted.map((name) => [name, adapter.limits[name]])), requiredFeatures: [...offered, ...required] as GPUFeatureName[] });
  Object.assign(device, { gpu }); // Dawn aborts the process, or never answers, once its GPU object is collected: who drops that has it kept by the device
  return { device, adapter: describeAdapter(adapter.info) };
}

/** The one shape that subgroupMatrix.wgsl.ts is written for: NVIDIA's. */
function hasMatrices(info: GPUAdapterInfo & { readonly subgroupMatrixConfigs?: Iterable<MatrixConfig> }): boolean {
  const fits = ({ componentType, resultComponentType, M, N, K }: MatrixConfig) => componentType === 'f16' && resultComponentType === 'f32' && M === 16 && N === 16 && K === 16;
  return info.subgroupMinSize === 32 && info.subgroupMaxSize === 32 && Array.from(info.subgroupMatrixConfigs ?? []).some(fits);
}

function describeAdapter(info: GPUAdapterInfo): AdapterDescription {
  const { vendor, architecture, description } = info;
  const software = info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|basic render/i.test(`${architecture} ${description}`);
  return { vendor, architecture, description, software };
}
