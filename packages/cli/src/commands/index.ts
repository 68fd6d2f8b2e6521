import type { Command } from '../command';
import { doctor } from './doctor';
import { gueAudit } from './gueAudit';
import { gueBaseline } from './gueBaseline';
import { gueCompare } from './gueCompare';
import { gueReport } from './gueReport';
import { gueRun } from './gueRun';
import { gueTasks } from './gueTasks';
import { inspectTokenizer } from './inspectTokenizer';
import { tokenize } from './tokenize';
import { trainTokenizer } from './trainTokenizer';

/** In the order of the help. */
export const commands: readonly Command[] = [gueRun, gueTasks, gueReport, gueCompare, gueAudit, gueBaseline, tokenize, trainTokenizer, inspectTokenizer, doctor];
