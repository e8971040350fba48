import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { headTraceparent, isChosen, isSampled, mintTraceId, parseTraceparent } from './trace-context.ts';
import { follows, noTracing } from './tracing/span.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const sampled = `00-${traceId}-b7ad6b7169203331-01`;
const unsampled = `00-${traceId}-b7ad6b7169203331-00`;

describe('the head of a trace', () => {
  it('follows the flag of the caller, whatever the ratio', () => {
    const accepted = parseTraceparent(headTraceparent(sampled, 0));
    assert.equal(accepted?.traceId, traceId);
    assert.notEqual(accepted?.spanId, 'b7ad6b7169203331');
    assert.equal(accepted?.flags, '01');
    assert.equal(headTraceparent(unsampled, 1), unsampled);
  });

  it('chooses by the trace id, about as many as the ratio says', () => {
    let chosen = 0;
    for (let i = 0; i < 20_000; i++) if (isSampled(headTraceparent(undefined, 0.1))) chosen++;
    assert.ok(chosen > 1700 && chosen < 2300, `${chosen} of 20,000`);
    const id = mintTraceId();
    assert.equal(isChosen(id, 0.5), isChosen(id, 0.5));
    assert.ok(isSampled(headTraceparent(undefined, 1)));
    assert.ok(!isSampled(headTraceparent(undefined, 0)));
    // Whoever is chosen at a low ratio is chosen at a higher one.
    const ids = Array.from({ length: 1000 }, mintTraceId);
    assert.ok(ids.filter((one) => isChosen(one, 0.1)).every((one) => isChosen(one, 0.3)));
  });

  it('begins a new trace for what is no traceparent', () => {
    const bad = ['', 'x', sampled.toUpperCase(), `${sampled}-more`, `ff${sampled.slice(2)}`];
    bad.push(`00-${'0'.repeat(32)}-b7ad6b7169203331-01`, `00-${traceId}-${'0'.repeat(16)}-01`);
    for (const header of bad) {
      const accepted = parseTraceparent(headTraceparent(header, 0));
      assert.ok(accepted && accepted.traceId !== traceId, header);
    }
  });

  it('reads the sampled flag from any pair of digits', () => {
    for (let flags = 0; flags < 256; flags++) {
      const header = `00-${traceId}-b7ad6b7169203331-${flags.toString(16).padStart(2, '0')}`;
      assert.equal(isSampled(header), (flags & 1) === 1, header);
    }
  });

  it('hands a caller through and records nothing while tracing is off', () => {
    assert.equal(noTracing.accept(sampled, true), sampled);
    assert.equal(isSampled(noTracing.accept(undefined, true)), false);
    assert.equal(follows(noTracing, sampled), false);
  });
});
