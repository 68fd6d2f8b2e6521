import type { Command } from '../command';
import { bgzip } from './bgzip';
import { corpusBuild } from './corpusBuild';
import { doctor } from './doctor';
import { fastaCodonUsage } from './fastaCodonUsage';
import { fastaFetch } from './fastaFetch';
import { fastaIndex } from './fastaIndex';
import { fastaKmers } from './fastaKmers';
import { fastaOrfs } from './fastaOrfs';
import { fastaStats } from './fastaStats';
import { gueAudit } from './gueAudit';
import { gueBaseline } from './gueBaseline';
import { gueCompare } from './gueCompare';
import { gueDownload } from './gueDownload';
import { gueReport } from './gueReport';
import { gueRun } from './gueRun';
import { gueTasks } from './gueTasks';
import { inspectTokenizer } from './inspectTokenizer';
import { pretrain } from './pretrain';
import { tokenize } from './tokenize';
import { trainTokenizer } from './trainTokenizer';
import { variantsApply } from './variantsApply';
import { variantsValidate } from './variantsValidate';

/** In the order of the help. */
export const commands: readonly Command[] = [gueRun, gueTasks, gueReport, gueCompare, gueAudit, gueBaseline, gueDownload, tokenize, trainTokenizer, inspectTokenizer, pretrain, fastaIndex, fastaFetch, fastaStats, fastaOrfs, fastaCodonUsage, fastaKmers, bgzip, variantsApply, variantsValidate, corpusBuild, doctor];
