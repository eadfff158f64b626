/** Compares a ledger with the naive one, and its journal's replay with its state in memory. */
import { expect } from 'vitest';
import { writeLine } from '../../../src/decide/journal-lines.js';
import { snapshot } from '../../../src/decide/snapshot.js';
import { subjectKey } from '../../../src/model/subject.js';
import { asPlain, type Model } from './naive.js';
import { essence, recordsOf, type World, world } from './world.js';

export const checkAgreement = (real: World, model: Model): void => {
  const { ledger, book, journal, clock } = real;
  expect(ledger.entries().map(asPlain)).toEqual(model.live(clock.ns).map(({ strike: _, ...block }) => block));
  expect(
    ledger
      .desired()
      .map(({ subject: who, verdict, untilNs }) => [subjectKey(who), verdict, untilNs])
      .sort(),
  ).toEqual(model.desired(clock.ns).sort());
  expect(ledger.panicked).toBe(model.panicked);
  // Replaying the journal gives the state in memory, and so does its shortest form.
  expect(essence(world({ clock, text: journal.text }).book.state)).toEqual(essence(book.state));
  const stamp = { boot: 'boot-1', at: clock.wall(clock.ns), at_ns: clock.ns };
  const short = [...snapshot(book.state, stamp)].map(writeLine).join('');
  expect(recordsOf(short).length).toBeGreaterThan(0);
  expect(essence(world({ clock, text: short }).book.state)).toEqual(essence(book.state));
};
