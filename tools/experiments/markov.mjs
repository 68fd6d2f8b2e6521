// Markov models of DNA for comparison: of the next base from those before it, and of a base from both sides. Smoothed by Witten and Bell (1991): each order leans on
// the one below as far as its context has shown few different bases.

/** A C G T as 0 to 3; any other letter 4. */
export function codesOf(text) {
  const codes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = 'ACGTacgt'.indexOf(text[i]);
    codes[i] = code < 0 ? 4 : code & 3;
  }
  return codes;
}

export const reverseComplementOf = (codes) => Uint8Array.from(codes, (_, i) => (codes[codes.length - 1 - i] === 4 ? 4 : 3 - codes[codes.length - 1 - i]));

/** Probabilities `[contexts, 4]` from counts, over those of the next shorter context; `shorter` says which that is. */
function smooth(counts, lower, shorter) {
  const probabilities = new Float32Array(counts.length);
  for (let context = 0; 4 * context < counts.length; context++) {
    let [total, kinds] = [0, 0];
    for (let b = 0; b < 4; b++) {
      total += counts[4 * context + b];
      if (counts[4 * context + b]) kinds++;
    }
    for (let b = 0; b < 4; b++) {
      const below = lower[4 * shorter(context) + b];
      probabilities[4 * context + b] = total ? (counts[4 * context + b] + kinds * below) / (total + kinds) : below;
    }
  }
  return probabilities;
}

/** P(base | the `order` bases before it), for every order up to the highest: arrays `[4^order, 4]`. */
export function fitMarkov(sequences, highest) {
  const models = [];
  let lower = new Float32Array(4).fill(0.25);
  for (let order = 0; order <= highest; order++) {
    const counts = new Uint32Array(4 ** (order + 1));
    const mask = 4 ** order - 1;
    for (const codes of sequences) {
      let [context, known] = [0, 0];
      for (const code of codes) {
        if (code === 4) known = 0;
        else {
          if (known >= order) counts[4 * context + code]++;
          context = ((context << 2) | code) & mask;
          known++;
        }
      }
    }
    lower = smooth(counts, lower, order === 0 ? () => 0 : (context) => context & (4 ** (order - 1) - 1));
    models.push(lower);
  }
  return models;
}

/** Code length of every base in nats; at the beginning shorter contexts serve. */
export function codeLengths(models, order, codes) {
  const nats = new Float64Array(codes.length);
  let [context, known] = [0, 0];
  codes.forEach((code, i) => {
    if (code === 4) known = 0;
    else {
      const own = Math.min(order, known);
      nats[i] = -Math.log(models[own][4 * (context & (4 ** own - 1)) + code]);
      context = ((context << 2) | code) & (4 ** order - 1);
      known++;
    }
  });
  return nats;
}

/** P(base | `side` bases on its left and as many on its right), for every width up to the widest; index 0 is the composition. */
export function fitTwoSided(sequences, widest) {
  const models = [];
  let lower = new Float32Array(4).fill(0.25);
  for (let side = 0; side <= widest; side++) {
    const counts = new Uint32Array(4 ** (2 * side + 1));
    for (const codes of sequences) forEachMiddle(codes, side, (context, code) => { counts[4 * context + code]++; });
    // A context is left bases, then right bases; the shorter one lacks the outermost on either side.
    const inner = 4 ** (side - 1);
    lower = smooth(counts, lower, side === 0 ? () => 0 : (context) => (Math.floor(context / 4 ** side) % inner) * inner + Math.floor((context % 4 ** side) / 4));
    models.push(lower);
  }
  return models;
}

/** The bases on both sides of every place that has enough of them, as one number. */
function forEachMiddle(codes, side, visit) {
  for (let i = side; i + side < codes.length; i++) {
    let context = 0;
    for (let j = i - side; j <= i + side && context >= 0; j++) {
      if (codes[j] === 4) context = -1;
      else if (j !== i) context = 4 * context + codes[j];
    }
    if (context >= 0) visit(context, codes[i], i);
  }
}

/** For every base whether the most probable by both sides is the true one: 1 or 0, or 2 where a side is missing. */
export function guessesOf(model, side, codes) {
  const right = new Uint8Array(codes.length).fill(2);
  forEachMiddle(codes, side, (context, code, i) => {
    let best = 0;
    for (let b = 1; b < 4; b++) if (model[4 * context + b] > model[4 * context + best]) best = b;
    right[i] = best === code ? 1 : 0;
  });
  return right;
}
