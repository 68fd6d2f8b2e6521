import { library } from '../../tools/tsupConfig';
// Shared chunks in CommonJS too: an UnsupportedOpError of ./gpujs is that of the package.
export default library({ splitting: true, entry: { index: 'src/index.ts', gpujs: 'src/devices/gpujs/index.ts', testing: 'src/testing/index.ts' } });
