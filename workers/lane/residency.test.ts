import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LaneContents, Residency } from './residency.ts';

const load = { bytes: 100, loadMs: 500, isAwaited: false };
const none = { unload: [], load: null, leaving: [], isWaiting: false };

/** A lane with room for two models of 100 bytes; each was loaded once, at 0, and used at the time that is given. */
function laneOf(uses: Readonly<Record<string, number | null>>, bytes = 250): Residency {
  const residency = new Residency(bytes);
  for (const [unit, at] of Object.entries(uses)) {
    residency.noteLoad(unit, load, 0);
    if (at !== null) residency.noteUse(unit, at);
  }
  return residency;
}

const contents = (extra: Partial<LaneContents>): LaneContents => ({
  nowMs: 100_000,
  resident: ['a', 'b'],
  absent: ['c'],
  waits: new Map(),
  isElsewhere: () => false,
  isHeld: () => false,
  ...extra,
});

test('as long as all fit all are loaded, one after the other, whoever waits', () => {
  const residency = new Residency(Number.POSITIVE_INFINITY);
  assert.equal(residency.next(contents({ resident: [], absent: ['a', 'b'] })).load, 'a');
  residency.noteLoad('a', load, 0);
  assert.equal(residency.next(contents({ resident: ['a'], absent: ['b'] })).load, 'b');
  residency.noteLoad('b', load, 0);
  assert.deepEqual(residency.next(contents({ absent: [] })), none);
  assert.equal(residency.next(contents({ resident: ['a'], absent: ['b'] })).load, 'b', 'after its lane died');
});

test('each is tried once, and what nobody has used leaves when the next turned out not to fit', () => {
  const residency = laneOf({ a: null, b: null });
  assert.equal(residency.next(contents({})).load, 'c');
  residency.noteLoad('c', load, 100_000);
  const full = { resident: ['a', 'b', 'c'] };
  assert.deepEqual(residency.next(contents({ ...full, absent: [] })), { ...none, unload: ['a'] });
  assert.deepEqual(residency.next(contents({ ...full, absent: ['d'] })), { ...none, unload: ['a'], load: 'd' });
  assert.deepEqual(residency.next(contents({ resident: ['b', 'c'], absent: ['a'] })), none);
});

test('a model that rows wait for takes the place of that which saves the least loading', () => {
  const residency = laneOf({ a: 60_000, b: 60_000, c: 0 });
  residency.noteUse('b', 60_001);
  const step = residency.next(contents({ waits: new Map([['c', 99_000]]) }));
  assert.deepEqual(step, { ...none, unload: ['a'], load: 'c' });
});

test('what somebody waits for stays while anything else can go, and comes ten seconds ahead of others', () => {
  const residency = laneOf({ a: null, b: 60_000, c: 0, d: 0 });
  residency.noteLoad('a', { ...load, isAwaited: true }, 0);
  assert.deepEqual(residency.next(contents({ waits: new Map([['c', 99_000]]) })).unload, ['b']);
  residency.noteLoad('d', { ...load, isAwaited: true }, 0);
  const waits = new Map([
    ['c', 90_000],
    ['d', 99_000],
  ]);
  assert.equal(residency.next(contents({ absent: ['c', 'd'], waits })).load, 'd');
  waits.set('c', 88_000);
  assert.equal(residency.next(contents({ absent: ['c', 'd'], waits })).load, 'c', 'and does not shut others out');
});

test('what came a moment ago, or is being written with, does not leave for another', () => {
  const waits = new Map([['c', 99_900]]);
  const fresh = laneOf({ a: null, b: null, c: 0 });
  for (const unit of ['a', 'b']) fresh.noteLoad(unit, load, 98_000);
  assert.deepEqual(fresh.next(contents({ waits })), { ...none, isWaiting: true });
  const written = laneOf({ a: 0, b: 0, c: 0 });
  const step = written.next(contents({ waits, isHeld: (unit) => unit === 'a' }));
  assert.deepEqual(step.unload, ['b']);
});

test('models that are asked for all the time take turns of five loads at least', () => {
  const residency = laneOf({ a: 99_999, b: 99_999, c: 0 });
  const ask = (since: number) =>
    residency.next(
      contents({
        waits: new Map([
          ['a', 99_900],
          ['b', 99_900],
          ['c', since],
        ]),
      }),
    );
  assert.deepEqual(ask(98_000), { ...none, isWaiting: true });
  assert.equal(ask(97_000).load, 'c');
  for (const unit of ['a', 'b']) residency.noteLoad(unit, load, 98_000);
  assert.equal(ask(97_000).load, null, 'they came two seconds ago');
});

test('a model that is written with all the time begins no more rows once others have waited, and goes with the last', () => {
  const residency = laneOf({ a: 99_999, b: 99_999, c: 0 }, 200);
  const ask = (since: number, held: readonly string[]) => {
    const waits = new Map([
      ['a', 99_900],
      ['b', 99_900],
      ['c', since],
    ]);
    return residency.next(contents({ waits, isHeld: (unit) => held.includes(unit) }));
  };
  assert.deepEqual(ask(99_000, ['a', 'b']), { ...none, isWaiting: true });
  assert.deepEqual(ask(97_000, ['a', 'b']), { ...none, leaving: ['a'], isWaiting: true });
  assert.deepEqual(ask(97_000, ['b']), { ...none, unload: ['a'], load: 'c' });
});

test('nothing more comes while rows wait for room, though it would fit', () => {
  const residency = laneOf({ a: 0, b: 0, c: 0 }, 220);
  residency.noteLoad('d', { ...load, bytes: 20 }, 0);
  for (const unit of ['a', 'b']) residency.noteLoad(unit, load, 99_000);
  const waiting = contents({ absent: ['c', 'd'], waits: new Map([['c', 99_900]]) });
  assert.deepEqual(residency.next(waiting), { ...none, isWaiting: true });
  assert.equal(residency.next(contents({ absent: ['c', 'd'] })).load, 'd');
});

test('a lane beyond its share lets something go, though rows wait for all that it has', () => {
  const residency = laneOf({ a: 60_000, b: 60_000, c: 99_000 });
  const waits = new Map([...'abc'].map((unit) => [unit, 99_900]));
  const full = { resident: ['a', 'b', 'c'], absent: [], waits };
  assert.deepEqual(residency.next(contents(full)).unload, ['a']);
  assert.deepEqual(residency.next(contents({ ...full, isHeld: (unit) => unit === 'a' })).unload, ['b']);
});

test('a model that was set aside is tried again, though its place is taken and no row asks for it', () => {
  const residency = laneOf({ a: 0, b: 0, c: 0 });
  assert.deepEqual(residency.next(contents({})), none);
  residency.doubt('c');
  assert.equal(residency.next(contents({})).load, 'c');
  residency.noteLoad('c', load, 100_000);
  assert.deepEqual(residency.next(contents({})), none);
});

test('rows that another lane can serve wait for it first', () => {
  const residency = laneOf({ a: 0, b: 0, c: 0 });
  const ask = (since: number) => residency.next(contents({ waits: new Map([['c', since]]), isElsewhere: () => true }));
  assert.deepEqual(ask(99_000), { ...none, isWaiting: true });
  assert.equal(ask(90_000).load, 'c');
});

test('a model larger than the whole place has the lane for itself', () => {
  const residency = laneOf({ a: 0, b: 0 });
  residency.noteLoad('c', { ...load, bytes: 1000 }, 0);
  const step = residency.next(contents({ waits: new Map([['c', 99_000]]) }));
  assert.deepEqual([step.load, step.unload.length], ['c', 2]);
  assert.deepEqual(residency.next(contents({ resident: ['c'], absent: ['a', 'b'] })), none);
});

test('a load into memory that a predecessor left looks small, and is not believed', () => {
  const residency = laneOf({ a: 0 });
  residency.noteLoad('a', { ...load, bytes: 20 }, 1);
  assert.equal(residency.bytesOf('a'), 100);
});
