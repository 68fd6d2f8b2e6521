// On a software GPU: half a minute.
import { webgpu } from './devices';
import { describeMemoryPeaks } from './memoryPeaks';

describeMemoryPeaks(webgpu);
