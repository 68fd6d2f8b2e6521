/** The class of the highest probability in each row; the lowest class among equals, as numpy's argmax. @param probabilities - `[examples, classes]` */
export function mostProbable(probabilities: ArrayLike<number>, classes: number): number[] {
  return Array.from({ length: probabilities.length / classes }, (_, row) => {
    let best = 0;
    for (let k = 1; k < classes; k++) if (probabilities[row * classes + k] > probabilities[row * classes + best]) best = k;
    return best;
  });
}
