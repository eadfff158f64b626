/** The journal among others: commands that append to it, disks that are full, rewrites. */
import {
  appendFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { describe, expect, it } from 'vitest';
import { appendOffline, readJournal } from '../../../src/decide/journal-offline.js';
import { snapshot } from '../../../src/decide/snapshot.js';
import { dir, lock, path, start, text, unlocked, useFolder } from './disk.js';
import { blockInput, essence, GROUP, HandClock, PROC, subject } from './world.js';

useFolder();

describe('a journal shared with commands', () => {
  const tombstone = (clock: HandClock, body: object) =>
    ({ boot: 'boot-1', at: clock.wall(clock.ns), at_ns: clock.ns, ...body }) as Parameters<
      typeof appendOffline
    >[1];

  it('lets an offline unblock hold at the next start, behind a torn line too', () => {
    const before = start({ lock });
    const { decision } = before.ledger.block(blockInput());
    before.ledger.block(blockInput(GROUP));
    appendFileSync(path(), '{"kind":"block","entry":{"id"');
    before.clock.ns += 1;
    expect(readJournal(dir())).toHaveLength(3);
    appendOffline(dir(), tombstone(before.clock, { kind: 'unblock', ids: [decision.id] }), lock);
    const after = start({ lock }, before.clock);
    expect(after.ledger.list().map(({ subject: who }) => who)).toEqual([GROUP]);
    expect(after.journal.stats()).toMatchObject({ torn: 0, damaged: 0 });
  });

  it('lets an offline panic hold, also where no agent ever ran', () => {
    appendOffline(dir(), tombstone(new HandClock(), { kind: 'panic' }), lock);
    expect(start().ledger.panicked).toBe(true);
  });

  it('tells the command when its tombstone could not be written', () => {
    symlinkSync('/dev/full', path());
    const append = () => appendOffline(dir(), tombstone(new HandClock(), { kind: 'panic' }), lock);
    expect(append).toThrow(/cannot write to the journal .*ENOSPC/);
  });

  it('has nothing to read where there is none', () => {
    expect(readJournal(dir())).toEqual([]);
  });

  it('is read before anything is enforced: an agent that hung puts nothing back', () => {
    const agent = start();
    agent.ledger.block(blockInput());
    agent.clock.ns += 1;
    expect(agent.ledger.desired()).toHaveLength(1);
    appendOffline(dir(), tombstone(agent.clock, { kind: 'unblock', all: true }), lock);
    expect(agent.ledger.desired()).toEqual([]);
  });

  it('is noticed by a running agent, before its own next record or when it looks', () => {
    const agent = start();
    agent.ledger.block(blockInput());
    agent.ledger.block(blockInput(GROUP));
    const { version } = agent.book;
    agent.clock.ns += 1;
    appendOffline(
      dir(),
      tombstone(agent.clock, { kind: 'unblock', subjects: ['process:4242@100'] }),
      unlocked,
    );
    agent.journal.poll();
    expect(agent.ledger.list().map(({ subject: who }) => who)).toEqual([GROUP]);
    expect(agent.book.version).toBeGreaterThan(version);
    appendOffline(dir(), tombstone(agent.clock, { kind: 'unblock', all: true }), unlocked);
    agent.clock.ns += 1;
    agent.ledger.block(blockInput());
    expect(agent.ledger.list().map(({ subject: who }) => who)).toEqual([PROC]);
    expect(agent.journal.stats().foreign).toBe(2);
    expect(essence(start({}, agent.clock).book.state)).toEqual(essence(agent.book.state));
  });

  it.each([
    ['removed', () => rmSync(path())],
    ['cut', () => truncateSync(path(), 100)],
    ['emptied', () => writeFileSync(path(), '')],
    ['put another in its place of', () => renameSync(path(), `${path()}.old`)],
  ])('is written anew when somebody %s it', (_, spoil) => {
    const agent = start();
    agent.ledger.block(blockInput());
    spoil();
    agent.ledger.block(blockInput(GROUP));
    expect(essence(start({}, agent.clock).book.state)).toEqual(essence(agent.book.state));
    expect(agent.journal.stats().rewrites).toBe(1);
  });
});

describe('a full disk', () => {
  it('stops nothing: records wait, in order, and are written when there is room', () => {
    symlinkSync('/dev/full', path());
    const agent = start();
    const { decision } = agent.ledger.block(blockInput(GROUP));
    agent.ledger.block(blockInput());
    agent.ledger.unblock({ id: decision.id });
    expect(agent.ledger.list()).toHaveLength(1);
    expect(agent.errors).toEqual(Array(4).fill('ENOSPC'));
    expect(agent.journal.stats()).toMatchObject({ waiting: 4, lost: 0, errors: 4 });
    rmSync(path());
    agent.journal.poll();
    expect(agent.journal.stats().waiting).toBe(0);
    expect(readJournal(dir()).map(({ kind }) => kind)).toEqual(['boot', 'block', 'block', 'unblock']);
    expect(essence(start({}, agent.clock).book.state)).toEqual(essence(agent.book.state));
  });
});

describe('a grown journal', () => {
  it('holds what waited once it is rewritten, and only once', () => {
    symlinkSync('/dev/full', path());
    const agent = start();
    agent.ledger.block(blockInput());
    expect(agent.journal.stats().waiting).toBe(2);
    const stamp = { boot: 'boot-1', at: agent.clock.wall(agent.clock.ns), at_ns: agent.clock.ns };
    agent.journal.rewrite(() => snapshot(agent.book.state, stamp));
    expect(agent.journal.stats()).toMatchObject({ waiting: 0, rewrites: 1 });
    agent.journal.poll();
    expect(readJournal(dir()).map(({ kind }) => kind)).toEqual(['boot', 'block', 'latch']);
  });

  it('is rewritten in its shortest form, with nothing forgotten', () => {
    const agent = start({ rewriteAfter: 50, lock: unlocked });
    const kept = agent.ledger.block(blockInput()).decision;
    for (let n = 0; n < 200; n++) {
      agent.clock.ns += 1;
      const { decision } = agent.ledger.block(blockInput(GROUP));
      agent.ledger.unblock({ id: decision.id });
    }
    expect(agent.journal.stats().rewrites).toBeGreaterThan(1);
    expect(text().split('\n').length).toBeLessThan(120);
    expect(readdirSync(dir()).sort()).toEqual(['journal.jsonl', 'journal.lock']);
    const after = start({}, agent.clock);
    expect(essence(after.book.state)).toEqual(essence(agent.book.state));
    expect(after.ledger.get(kept.id)).toEqual(agent.ledger.get(kept.id));
  });

  it('keeps the old form when there is no room for the new one', () => {
    const agent = start({ rewriteAfter: 5 });
    agent.ledger.block(blockInput());
    const broken = () => {
      throw Object.assign(new Error('no room'), { code: 'ENOSPC' });
    };
    agent.journal.rewrite(broken);
    expect(agent.errors).toEqual(['ENOSPC']);
    expect(readdirSync(dir())).not.toContain('journal.jsonl.tmp');
    expect(essence(start({}, agent.clock).book.state)).toEqual(essence(agent.book.state));
  });

  it('survives a rewrite that was killed half-way', () => {
    const agent = start({ rewriteAfter: 5 });
    writeFileSync(`${path()}.tmp`, '{"half');
    for (let n = 0; n < 9; n++) agent.ledger.block(blockInput(subject('unit', `u${n}.service`)));
    expect(readdirSync(dir()).sort()).toEqual(['journal.jsonl', 'journal.lock']);
    expect(start({}, agent.clock).ledger.list()).toHaveLength(9);
  });
});
