import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EndpointGate, type Impression } from './endpoint-gate.ts';

const good: Impression = { ms: 10, answered: true, throttled: false, retryAfterSeconds: null };
const hung: Impression = { ms: 15_000, answered: false, throttled: false, retryAfterSeconds: null };
const gateOf = (slots: number) => new EndpointGate({ slots, random: () => 0 });
/** How many attempts in a row may go. */
function enterAll(gate: EndpointGate, origin: string, nowMs: number): number {
  let entered = 0;
  while (entered < 10_000 && gate.enter(origin, nowMs) === 0) entered++;
  return entered;
}

test('an endpoint begins with four at a time and doubles with each quick answer, up to a quarter of all', () => {
  const gate = gateOf(64);
  assert.equal(enterAll(gate, 'a', 0), 4);
  gate.leave('a', good, 10);
  assert.equal(enterAll(gate, 'a', 10), 8 - 3);
  for (let i = 0; i < 8; i++) gate.leave('a', good, 20);
  assert.equal(enterAll(gate, 'a', 20), 16);
});

test('after an attempt without an answer it is down to one', () => {
  const gate = gateOf(64);
  enterAll(gate, 'a', 0);
  for (let i = 0; i < 4; i++) gate.leave('a', hung, 15_000);
  assert.equal(enterAll(gate, 'a', 15_000), 1);
});

test('however many endpoints hang, the trusted ones keep half of the slots', () => {
  const gate = gateOf(64);
  gate.enter('well', 0);
  gate.leave('well', good, 1);
  let hanging = 0;
  for (let i = 0; i < 1000; i++) hanging += enterAll(gate, `dead-${i}`, 2);
  assert.equal(hanging, 32);
  assert.ok(gate.enter('new', 3) > 0);
  assert.equal(gate.enter('well', 3), 0);
});

test('waits of one endpoint are spread over the time its backlog takes, and shrink when it is well again', () => {
  const gate = gateOf(64);
  enterAll(gate, 'a', 0);
  const waits = Array.from({ length: 100 }, () => gate.enter('a', 0));
  assert.ok((waits[0] ?? 0) < (waits[99] ?? 0));
  assert.ok(Math.max(...waits) <= 75_000);
  gate.leave('a', hung, 15_000);
  for (let i = 0; i < 100; i++) assert.ok(gate.enter('a', 15_000) <= 75_000);
  gate.leave('a', good, 16_000);
  enterAll(gate, 'a', 16_000);
  assert.ok(gate.enter('a', 16_000) < 5000);
});

test('429, 502 and 504 pause it: for Retry-After, else longer each time up to a minute', () => {
  const gate = gateOf(64);
  gate.enter('a', 0);
  gate.leave('a', { ...good, throttled: true, retryAfterSeconds: 30 }, 0);
  assert.equal(gate.enter('a', 1000), 29_000);
  assert.equal(gate.enter('a', 30_000), 0);
  let pauseMs = 0;
  for (let i = 0; i < 10; i++) {
    gate.leave('a', { ...good, throttled: true }, 1e6 * i);
    pauseMs = gate.enter('a', 1e6 * i);
    gate.enter('a', 1e6 * i + pauseMs);
  }
  assert.equal(pauseMs, 60_000);
  assert.equal(gate.enter('b', 30_000), 0);
});

test('the memory of endpoints is bounded, and no slot is lost with a forgotten one', () => {
  const gate = gateOf(64);
  for (let i = 0; i < 25_000; i++) {
    assert.equal(gate.enter(`e-${i}`, 0), 0);
    gate.leave(`e-${i}`, hung, 0);
  }
  assert.equal(gate.enter('last', 0), 0);
});
