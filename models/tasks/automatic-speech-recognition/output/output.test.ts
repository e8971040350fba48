import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import contract from '../contract.ts';
import { groupWords } from './group-words.ts';
import { toSrt, toVtt } from './subtitles.ts';
import { readOutputWish, type Segment, type Transcription, wantsTimes } from './transcription.ts';
import { writeOutput } from './write-output.ts';

const cues = [
  { text: ' And so, my fellow Americans:', start: 0, end: 7.6 },
  { text: '  ', start: 7.6, end: 8 },
  { text: ' ask <not> what\n\nAT&T --> you', start: 59.9996, end: 3723.456 },
];

describe('subtitles', () => {
  it('are SubRip: numbered, hours always, a comma before milliseconds', () => {
    assert.equal(
      toSrt(cues),
      '1\n00:00:00,000 --> 00:00:07,600\nAnd so, my fellow Americans:\n\n' +
        '2\n00:01:00,000 --> 01:02:03,456\nask <not> what AT&T -> you\n\n',
    );
    assert.equal(toSrt([]), '');
  });

  it('are WebVTT: a header, a full stop, and no tag, entity or empty line of the text', () => {
    assert.equal(
      toVtt(cues),
      'WEBVTT\n\n00:00.000 --> 00:07.600\nAnd so, my fellow Americans:\n\n' +
        '01:00.000 --> 01:02:03.456\nask &lt;not> what AT&amp;T -> you\n\n',
    );
    assert.equal(toVtt([]), 'WEBVTT\n\n');
  });
});

describe('grouping words', () => {
  const say = (text: string, start: number, end = start + 0.3) => ({ text, start, end });

  it('ends a segment at a pause', () => {
    assert.deepEqual(groupWords([say('ONE', 0), say('TWO', 0.5), say('THREE', 1.5)]), [
      { text: 'ONE TWO', start: 0, end: 0.8 },
      { text: 'THREE', start: 1.5, end: 1.8 },
    ]);
  });

  it('ends a segment that would no longer fit a screen, in length or in time', () => {
    const fast = groupWords(Array.from({ length: 30 }, (_, at) => say('LETTERS', at * 0.1, at * 0.1 + 0.05)));
    assert.ok(fast.length > 1 && fast.every(({ text }) => text.length <= 84));
    const slow = groupWords(Array.from({ length: 30 }, (_, at) => say('A', at * 0.5)));
    assert.ok(slow.length > 1 && slow.every(({ start, end }) => end - start <= 7));
  });
});

describe('the answer', () => {
  const segment: Segment = {
    text: ' Hi there',
    start: 30.0004,
    end: 31.5,
    windowStart: 28.5,
    tokens: [5, 6],
    temperature: 0,
    avgLogProb: -0.2,
    compressionRatio: 0.8,
    noSpeechProb: 0.01,
  };
  const heard: Transcription = {
    text: 'Hi there',
    segments: [segment],
    words: [
      { text: ' Hi', start: 30, end: 30.5 },
      { text: ' there', start: 30.6, end: 31.5 },
    ],
    characters: null,
    task: 'transcribe',
    language: 'english',
    duration: 32.12345,
  };
  const answer = (parameters: Record<string, unknown>) => {
    const output = writeOutput(heard, readOutputWish(contract.parameters.parse(parameters)));
    return contract.output.parse(output) as Record<string, unknown>;
  };

  it('is the text alone unless times are asked for', () => {
    assert.deepEqual(answer({}), { text: 'Hi there' });
    assert.deepEqual(answer({ response_format: 'text', return_timestamps: false }), { text: 'Hi there' });
    assert.equal(wantsTimes(readOutputWish({ return_timestamps: false })), false);
  });

  it('has chunks of segments or words', () => {
    const whole = [{ text: ' Hi there', timestamp: [30, 31.5] }];
    assert.deepEqual(answer({ return_timestamps: true })['chunks'], whole);
    assert.deepEqual(answer({ return_timestamps: 'segment' })['chunks'], whole);
    assert.deepEqual(answer({ return_timestamps: 'word' })['chunks'], [
      { text: ' Hi', timestamp: [30, 30.5] },
      { text: ' there', timestamp: [30.6, 31.5] },
    ]);
  });

  it("is OpenAI's verbose JSON, with words when asked", () => {
    assert.deepEqual(answer({ response_format: 'verbose_json', return_timestamps: 'word' }), {
      task: 'transcribe',
      language: 'english',
      duration: 32.123,
      text: 'Hi there',
      segments: [
        {
          id: 0,
          seek: 2850,
          start: 30,
          end: 31.5,
          text: ' Hi there',
          tokens: [5, 6],
          temperature: 0,
          avg_logprob: -0.2,
          compression_ratio: 0.8,
          no_speech_prob: 0.01,
        },
      ],
      words: [
        { word: 'Hi', start: 30, end: 30.5 },
        { word: 'there', start: 30.6, end: 31.5 },
      ],
    });
    assert.ok(!('words' in answer({ response_format: 'verbose_json' })));
  });

  it('is subtitles beside the text', () => {
    const srt = '1\n00:00:30,000 --> 00:00:31,500\nHi there\n\n';
    assert.deepEqual(answer({ response_format: 'srt' }), { text: 'Hi there', srt });
    assert.match(String(answer({ response_format: 'vtt' })['vtt']), /^WEBVTT\n\n00:30\.000 --> /);
  });
});
