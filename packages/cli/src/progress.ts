export interface ProgressEvent {
  /** What is going on, in a few words. */
  readonly stage: string;
  readonly done?: number;
  readonly total?: number;
  /** What `done` counts: steps, sequences, merges. */
  readonly unit?: string;
  readonly [detail: string]: string | number | boolean | undefined;
}

export interface Progress {
  update(event: ProgressEvent): void;
  /** Ends the line, so that what follows begins on a new one. */
  finish(): void;
}

/** A line that rewrites itself on a terminal; JSON lines elsewhere, at most one a second for each stage. */
export function createProgress(stream: NodeJS.WriteStream, { json, now = () => performance.now() }: { json: boolean; now?: () => number }): Progress {
  const terminal = stream.isTTY && !json;
  const began = new Map<string, { readonly time: number; readonly done: number }>(); // what was done before, an interrupted run has not done now
  let lastShown = -Infinity;
  let lastStage = '';
  let open = false;
  return {
    update(event) {
      const { stage, done, total, unit = '' } = event;
      const time = now();
      const start = began.get(stage) ?? { time, done: done ?? 0 };
      began.set(stage, start);
      const ended = done !== undefined && done === total;
      if (stage === lastStage && !ended && time - lastShown < (terminal ? 100 : 1000)) return;
      lastStage = stage;
      lastShown = time;
      const seconds = (time - start.time) / 1000;
      const rate = done !== undefined && done > start.done && seconds > 0 ? (done - start.done) / seconds : undefined;
      const secondsLeft = rate && total !== undefined ? (total - done!) / rate : undefined;
      if (!terminal) {
        stream.write(`${JSON.stringify({ event: 'progress', ...event, ...(rate ? { rate: round(rate) } : {}), ...(secondsLeft !== undefined ? { secondsLeft: round(secondsLeft) } : {}) })}\n`);
        return;
      }
      const parts = [stage, done === undefined ? '' : `${done}${total === undefined ? '' : ` / ${total}`} ${unit}`.trim(), rate ? `${round(rate)} ${unit || 'a'}/s` : '', secondsLeft === undefined || ended ? '' : `${clock(secondsLeft)} left`];
      stream.write(`\r\x1b[K${parts.filter(Boolean).join('  ').slice(0, (stream.columns || 100) - 1)}`);
      open = true;
    },
    finish() {
      if (open) stream.write('\r\x1b[K');
      open = false;
    },
  };
}

const round = (value: number): number => (value >= 100 ? Math.round(value) : Number(value.toPrecision(3)));

export const clock = (seconds: number): string => {
  const whole = Math.max(0, Math.round(seconds));
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes}:${String(whole % 60).padStart(2, '0')}` : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}:${String(whole % 60).padStart(2, '0')}`;
};
