import { devices } from '../../test/devices';
import { describeStoredCopies } from '../../test/storedCopies';

describeStoredCopies({ wasm: devices.wasm });
