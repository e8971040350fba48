/**
 * The next token from its logits: the likeliest, or one drawn by temperature, top-k and top-p. A draw depends on seed
 * and position alone, so that a row writes the same alone, in a batch, and when it is written again. Pure.
 */
import { greatest } from '../numeric/greatest.ts';
import type { Sampling } from '../task.ts';

/** -1 when no logit is finite: the model gave NaN, or everything was forbidden. */
export function likeliest(logits: Float32Array): number {
  let best = -1;
  let most = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id] as number;
    if (logit > most) {
      most = logit;
      best = id;
    } else if (Number.isNaN(logit)) return -1;
  }
  return most === Number.POSITIVE_INFINITY ? -1 : best;
}

/** `position`: tokens written before this one. */
export function pickToken(logits: Float32Array, sampling: Sampling, position: number): number {
  const best = likeliest(logits);
  if (best < 0 || sampling.temperature <= 0) return best;
  const ids = candidates(logits, sampling.topK ?? logits.length);
  const most = logits[best] as number;
  const weights = ids.map((id) => Math.exp(((logits[id] as number) - most) / sampling.temperature));
  const kept = keptByTopP(weights, sampling.topP ?? 1);
  let rest = randomAt(sampling.seed ?? 0, position) * weights.slice(0, kept).reduce((sum, weight) => sum + weight, 0);
  for (let i = 0; i < kept; i++) {
    rest -= weights[i] as number;
    if (rest < 0) return ids[i] as number;
  }
  return ids[kept - 1] as number;
}

/** Ids by falling logit, ties by id; at most `count`, and none that is forbidden. */
function candidates(logits: Float32Array, count: number): number[] {
  return greatest(logits, Math.max(1, count)).filter((id) => logits[id] !== Number.NEGATIVE_INFINITY);
}

/** How many of the likeliest tokens reach the probability `topP` together, that which crosses it included. */
function keptByTopP(weights: readonly number[], topP: number): number {
  const wanted = topP * weights.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  for (let i = 0; i < weights.length; i++) {
    sum += weights[i] as number;
    if (sum >= wanted) return i + 1;
  }
  return weights.length;
}

/** In [0, 1). A hash of both numbers (splitmix's finaliser on 32 bits) instead of a stream: nothing to carry along. */
export function randomAt(seed: number, position: number): number {
  let x = (Math.imul(seed | 0, 0x9e3779b1) + Math.imul(position + 1, 0x85ebca6b)) | 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32;
}

/** Natural log of the probability of one token. */
export function logProbability(logits: Float32Array, id: number): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < logits.length; i++) if ((logits[i] as number) > most) most = logits[i] as number;
  return (logits[id] as number) - most - logSum(logits, most);
}

/** Log of the sum of exp(logit - most). */
export function logSum(logits: Float32Array, most: number): number {
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp((logits[i] as number) - most);
  return Math.log(sum);
}
