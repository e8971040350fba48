import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PlaceParts, RunPlaces } from './run-places.ts';

test('a unit that leaves the lanes is forgotten by the scheduler, too', () => {
  const left: string[] = [];
  const parts = {
    pool: { remove: (unit: string) => left.push(`lanes ${unit}`) },
    scheduler: { forget: (unit: string) => left.push(`scheduler ${unit}`) },
    upstreams: { has: (unit: string) => unit === 'far', remove: (unit: string) => left.push(`server ${unit}`) },
  };
  const places = new RunPlaces(parts as unknown as PlaceParts);
  places.remove('near');
  places.remove('far');
  assert.deepEqual(left, ['lanes near', 'scheduler near', 'server far']);
});
