/**
 * The two forms in which a text goes through a tokeniser: as it is, for ids alone, and aligned to its source, for offsets.
 * The walk is written once, over either. Pure.
 */
import { type AlignedText, sliceAligned } from './aligned-text.ts';
import type { Rewrite } from './normalizers/rewrite.ts';

export interface Carrier<T> {
  textOf(value: T): string;
  slice(value: T, from: number, to: number): T;
  rewrite(value: T, rewrite: Rewrite): T;
}

export const plain: Carrier<string> = {
  textOf: (text) => text,
  slice: (text, from, to) => text.slice(from, to),
  rewrite: (text, rewrite) => rewrite.apply(text),
};

export const aligned: Carrier<AlignedText> = {
  textOf: ({ text }) => text,
  slice: sliceAligned,
  rewrite: (value, rewrite) => rewrite.follow(value),
};
