// How much work keeps this GPU busy for 50 ms. The first guess may be a hundred times off, and a long attention cut into pieces for a slow GPU leaves a fast one idle: submissions tell.

/** Milliseconds that a dispatch, and a submission, should take. */
const wanted = 50;
/** Below so many milliseconds the clock and the queue's own delay say nothing but "fast". */
const shortest = 4;
const most = 5e12;

export interface Pace {
  /** Multiply-adds. */
  readonly work: () => number;
  /** So much work was done in so many milliseconds. Little work says nothing. */
  done(work: number, milliseconds: number): void;
}

/** Changes by a factor of two at most each time, and never falls below the guess. */
export function createPace(guess: number): Pace {
  let work = guess;
  return {
    work: () => work,
    done(amount, milliseconds) {
      if (amount < work / 2) return;
      const fitting = milliseconds < shortest ? 2 * work : (amount / milliseconds) * wanted;
      work = Math.min(most, Math.max(guess, work / 2, Math.min(2 * work, fitting)));
    },
  };
}
