import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AdaptivePolicy } from './adaptive-policy.ts';
import { Convoys } from './convoys.ts';
import { knownCost, waitingRow } from './testing/rows.ts';

const free = { endsMs: null };
const until = (endsMs: number) => ({ endsMs });

test('the last free lane is kept from long calls until another is free within 25 ms', () => {
  const convoys = new Convoys();
  assert.equal(convoys.blockedUntilMs([free, until(600)], 0), null, 'nobody of the highest class came yet');
  convoys.sawHigh(0);
  assert.equal(convoys.blockedUntilMs([free, until(600)], 0), 575);
  assert.equal(convoys.blockedUntilMs([free, until(600)], 575), null);
  assert.equal(convoys.blockedUntilMs([free, free, until(600)], 0), null, 'another is free');
  assert.equal(convoys.blockedUntilMs([free, until(600), until(20)], 0), null);
  assert.equal(convoys.blockedUntilMs([free], 0), null, 'one lane can keep none free');
  assert.equal(convoys.blockedUntilMs([free, until(31_000)], 30_001), null, 'it was long ago');
});

test('high rows, short ones and such as end when they are told wait for nothing', () => {
  const convoys = new Convoys();
  assert.equal(convoys.mustWait(waitingRow({ class: 'bulk' }), 600), true);
  assert.equal(convoys.mustWait(waitingRow({ class: 'high' }), 600), false);
  assert.equal(convoys.mustWait(waitingRow({ class: 'bulk' }), 40), false);
  assert.equal(convoys.mustWait(waitingRow({ class: 'bulk', endsWhenTold: true }), 600), false);
});

test('a lane that may begin no long call takes a short one of a lower class, or says when it asks again', () => {
  const policy = new AdaptivePolicy(knownCost((rows, length) => rows * length));
  const lanes = [free, until(900)];
  policy.choose({ nowMs: 100, waiting: [waitingRow({ class: 'high', length: 5 })], lanes });
  const long = waitingRow({ class: 'normal', length: 600 });
  const short = waitingRow({ class: 'bulk', length: 10 });
  assert.deepEqual(policy.choose({ nowMs: 200, waiting: [long, short], lanes }).rows, [short]);
  assert.deepEqual(policy.choose({ nowMs: 200, waiting: [long], lanes }), { rows: [], wakeMs: 875 });
  assert.deepEqual(policy.choose({ nowMs: 880, waiting: [long], lanes }).rows, [long]);
});
