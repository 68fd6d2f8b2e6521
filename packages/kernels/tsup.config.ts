import { library } from '../../tools/tsupConfig';
export default library({ entry: { index: 'src/index.ts', gpujs: 'src/devices/gpujs/index.ts', testing: 'src/testing/index.ts' } });
