/**
 * Holds an output of Millrace against the reference's: how far its numbers are off, and what is not equal though the
 * reference was sure. Test code only; knows outputs as callers see them.
 */
import { errorOf, marginMin, type ParityCase } from './expected.ts';

export interface Judgement {
  /** Greatest difference of a number. */
  readonly error: number;
  /** Empty when all that must be equal is. */
  readonly faults: readonly string[];
}

type Judge = (expected: ParityCase, output: unknown) => Judgement;

interface Scored {
  readonly label: string;
  readonly score: number;
}
interface Span extends Scored {
  readonly start: number;
  readonly end: number;
}
type MillraceSpan = Omit<Span, 'label'> & { readonly entity?: string; readonly entity_group?: string };
interface Written {
  readonly generated_text: string;
  readonly regions?: unknown;
}
interface Transcript {
  readonly text: string;
  readonly chunks?: readonly { readonly text: string; readonly timestamp: readonly number[] }[];
}

const judges: Readonly<Record<string, Judge>> = {
  'token-classification': judgeSpans,
  'feature-extraction': ({ logits }, output) => ({
    error: errorOf(output as number[], logits?.data ?? []),
    faults: [],
  }),
  'text-ranking': judgeRanking,
  'image-classification': judgeLabels,
  'automatic-speech-recognition': judgeTranscript,
  'image-to-text': judgeText,
};

export function judgeOutput(task: string, expected: ParityCase, output: unknown): Judgement {
  const judge = judges[task];
  if (!judge) throw new Error(`No judge for ${task}.`);
  return judge(expected, output);
}

/** Of every choice that led to the output. */
const isSure = ({ margin = 1, steps = [] }: ParityCase) =>
  [margin, ...steps.map((step) => step.margin)].every((lead) => lead > marginMin);

function unequal(what: string, actual: unknown, expected: unknown): string[] {
  const [given, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  return given === wanted ? [] : [`${what}: ${given}, the reference has ${wanted}`];
}

function judgeSpans(expected: ParityCase, output: unknown): Judgement {
  const given = (output as MillraceSpan[]).map((span) => ({ ...span, label: span.entity_group ?? span.entity ?? '' }));
  const wanted = expected.output as Span[];
  const places = (spans: readonly Span[]) => spans.map(({ label, start, end }) => [label, start, end]);
  const faults = isSure(expected) ? unequal('spans', places(given), places(wanted)) : [];
  const isComparable = faults.length === 0 && given.length === wanted.length;
  return { error: isComparable ? errorOf(scores(given), scores(wanted)) : 0, faults };
}

function scores(labels: readonly Scored[]): number[] {
  return labels.map(({ score }) => score);
}

function judgeRanking(expected: ParityCase, output: unknown): Judgement {
  const given = output as { index: number; score: number }[];
  const wanted = expected.logits?.data ?? [];
  const byDocument = wanted.map((_, index) => given.find((place) => place.index === index)?.score ?? Number.NaN);
  const order = [...wanted.keys()].sort((a, b) => (wanted[b] ?? 0) - (wanted[a] ?? 0));
  const faults = isSure(expected)
    ? unequal(
        'order',
        given.map(({ index }) => index),
        order,
      )
    : [];
  return { error: errorOf(byDocument, wanted), faults };
}

function judgeLabels(expected: ParityCase, output: unknown): Judgement {
  const given = output as Scored[];
  if (expected.logits) {
    const ordered = [...expected.logits.data].sort((a, b) => b - a).slice(0, given.length);
    return { error: errorOf(scores(given), ordered), faults: [] };
  }
  const wanted = expected.output as Scored[];
  // A label may change places with a neighbour that is as good.
  const faults = wanted.flatMap(({ label, score }, at) => {
    const isTossUp = [at - 1, at + 1].some((next) => Math.abs((wanted[next]?.score ?? 9) - score) <= marginMin);
    return isTossUp ? [] : unequal(`label ${at}`, given[at]?.label, label);
  });
  return { error: errorOf(scores(given), scores(wanted)), faults };
}

function judgeText(expected: ParityCase, output: unknown): Judgement {
  const [given, wanted] = [output as Written, expected.output as Written];
  if (!isSure(expected)) return { error: 0, faults: [] };
  const faults = [
    ...unequal('text', given.generated_text, wanted.generated_text),
    ...unequal('regions', given.regions, wanted.regions),
  ];
  return { error: 0, faults };
}

function judgeTranscript(expected: ParityCase, output: unknown): Judgement {
  const [given, wanted] = [output as Transcript, expected.output as Transcript];
  if (!isSure(expected)) return { error: 0, faults: [] };
  const times = ({ chunks = [] }: Transcript) => chunks.flatMap(({ timestamp }) => [...timestamp]);
  const texts = ({ chunks = [] }: Transcript) => chunks.map(({ text }) => text);
  const faults = [...unequal('text', given.text, wanted.text), ...unequal('chunks', texts(given), texts(wanted))];
  return { error: faults.length === 0 ? errorOf(times(given), times(wanted)) : 0, faults };
}
