/** WebGPU's usage flags by number: the globals `GPUBufferUsage` and `GPUMapMode` exist only in browsers. */
export const bufferUsage = { mapRead: 0x1, copySource: 0x4, copyTarget: 0x8, storage: 0x80, queryResolve: 0x200 } as const;

export const mapRead = 0x1;
