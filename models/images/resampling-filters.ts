/** The filters that Pillow resizes with, by its names and numbers, and how each weighs a distance in pixels. Pure. */

export const filters = ['nearest', 'box', 'bilinear', 'hamming', 'bicubic', 'lanczos'] as const;
export type FilterName = (typeof filters)[number];

/** Pillow's numbers, as preprocessor_config.json gives them in `resample`. */
const filterByNumber: readonly FilterName[] = ['nearest', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming'];

export function filterOf(resample: unknown): FilterName {
  if (typeof resample === 'number') return filterByNumber[resample] ?? 'bilinear';
  return filters.find((name) => name === resample) ?? 'bilinear';
}

export interface Kernel {
  /** How far it sees, in pixels of whichever side has fewer. */
  readonly support: number;
  readonly weigh: (distance: number) => number;
}

const sinc = (x: number) => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));

export const kernels: Readonly<Record<Exclude<FilterName, 'nearest'>, Kernel>> = {
  box: { support: 0.5, weigh: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, weigh: (x) => Math.max(0, 1 - Math.abs(x)) },
  hamming: {
    support: 1,
    weigh: (x) => (x === 0 ? 1 : Math.abs(x) >= 1 ? 0 : sinc(x) * (0.54 + 0.46 * Math.cos(x * Math.PI))),
  },
  bicubic: { support: 2, weigh: (x) => weighBicubic(Math.abs(x)) },
  lanczos: { support: 3, weigh: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

function weighBicubic(x: number): number {
  // Pillow's a = -0.5.
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}
