export interface Schedule {
  readonly warmupSteps: number;
  readonly totalSteps: number;
}

/** Linear warm-up from 0 to 1, then linear decay to 0 (transformers' get_linear_schedule_with_warmup). @param step - updates done so far: the first update has 0 */
export function linearSchedule(step: number, { warmupSteps, totalSteps }: Schedule): number {
  if (step < warmupSteps) return step / warmupSteps;
  return Math.max(0, (totalSteps - step) / Math.max(1, totalSteps - warmupSteps));
}

/** Linear warm-up from 0 to 1, then half a cosine down to 0 (transformers' get_cosine_schedule_with_warmup). @param step - updates done so far */
export function cosineSchedule(step: number, { warmupSteps, totalSteps }: Schedule): number {
  if (step < warmupSteps) return step / warmupSteps;
  return Math.max(0, 0.5 * (1 + Math.cos((Math.PI * (step - warmupSteps)) / Math.max(1, totalSteps - warmupSteps))));
}
