/** Bytes as the kernel writes them, and the JSON they must become: a folder of pairs. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { KgEventRows } from '../../../src/abi/generated.js';
import { BatchReader } from '../../../src/decode/batch.js';
import { LiveEvent } from '../../../src/decode/live-event.js';
import type { Event } from '../../../src/model/event.js';
import { depsOf, drained, KnownFacts } from './rows.js';

const FOLDER = new URL('./golden/', import.meta.url);
const names = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.hex'))
  .map((name) => name.slice(0, -4));

it('has cases', () => {
  expect(names.length).toBeGreaterThanOrEqual(7);
});

it.each(names)('%s', (name) => {
  const text = (suffix: string): string => readFileSync(new URL(`${name}.${suffix}`, FOLDER), 'utf8');
  const source = drained([Uint8Array.from(Buffer.from(text('hex').replace(/\s+/g, ''), 'hex'))]);
  const enricher = new KnownFacts();
  enricher.exec(4711, 900719920, 'hydra', '/usr/bin/hydra', ['hydra', '-l', 'ann', '10.0.0.9']);
  const cursor = new LiveEvent(new KgEventRows(source.rows), depsOf(enricher));
  const reader = new BatchReader(source, cursor, enricher);
  const events: Event[] = [];
  reader.read(1, (event) => events.push(event.snapshot()));
  expect(reader.lastError).toBeUndefined();
  // As text: the order of the properties is part of what people diff.
  expect(`${JSON.stringify(events[0], null, 2)}\n`).toBe(text('json'));
});
