/** Rings: every record comes out once, in order, word for word, on the loop and on demand. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { LinkHandle, ObjectHandle, RingHandle } from '../../../src/kernel/native.js';
import { api, compile, connectFrom, makeCgroup, tempFolder, u32 } from '../fixture.js';

const WORDS = 4;
const folder = tempFolder();
const path = compile(folder.path);
const cgroup = makeCgroup('ring');
let object: ObjectHandle;
let link: LinkHandle;
let plan: number;
let first: number;
let second: number;
let open: RingHandle[];

beforeAll(() => {
  object = api.objectOpen(path);
  api.objectLoad(object);
  link = api.attach(object, 'emit', cgroup.fd);
  [plan, first, second] = ['plan', 'first', 'second'].map((name) => api.objectMapFd(object, name)) as [
    number,
    number,
    number,
  ];
});
beforeEach(() => {
  open = [];
});
afterEach(() => open.forEach(api.ringClose));
afterAll(() => {
  [plan, first, second].forEach(api.closeFd);
  api.linkClose(link);
  api.objectClose(object);
  cgroup.drop();
  folder.drop();
});

/** One connect writes `count` records numbered from `from`, with tails of (i × tail) mod 64 bytes. */
const write = async (count: number, ring = 0, tail = 0, from = 0) => {
  api.mapUpdate(plan, u32(0), u32(count, ring, tail, from), 0);
  expect(await connectFrom(cgroup.path)).toBe('ECONNREFUSED');
  api.mapUpdate(plan, u32(0), u32(0, 0, 0, 0), 0);
};

interface Seen {
  words: number[];
  tail: number[];
}

/** Opens the rings and keeps what comes out; `after` sees the count of each batch. */
const watch = (
  options: { words?: number; capacity?: number; room?: number; fds?: number[] } = {},
  after = (_count: number) => {},
) => {
  const { words = WORDS, capacity = 128, room = 4096, fds = [first, second] } = options;
  const rows = new Uint32Array((words + 2) * capacity);
  const tail = new Uint8Array(room);
  const seen: Seen[] = [];
  const batches: number[] = [];
  const at = (word: number, i: number) => rows[i * (words + 2) + word] as number;
  const ring = api.ringOpen(fds, { words, capacity, rows, tail, intervalMs: 1, idleTicks: 3 }, (count) => {
    batches.push(count);
    for (let i = 0; i < count; i += 1) {
      const start = at(words, i);
      seen.push({
        words: Array.from({ length: words }, (_, word) => at(word, i)),
        tail: [...tail.subarray(start, start + at(words + 1, i))],
      });
    }
    after(count);
  });
  open.push(ring);
  return { ring, rows, seen, batches };
};

const expected = (count: number, ring = 0, step = 0, from = 0): Seen[] =>
  Array.from({ length: count }, (_, i) => ({
    words: [from + i, 3 * (from + i), ring, (i * step) % 64],
    tail: Array.from({ length: (i * step) % 64 }, () => (from + i) % 256),
  }));

/** Lets the loop run until `done`; the test's own time limit is the only clock. */
const until = async (done: () => boolean) => {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 1));
};

test.each([1, 23, 127, 128, 129, 1000])('%i records wake the loop and come out once', async (count) => {
  const { seen, batches, ring } = watch();
  await write(count);
  await until(() => seen.length >= count);
  expect(seen).toEqual(expected(count));
  expect(Math.max(...batches)).toBeLessThanOrEqual(128);
  expect(api.ringStats(ring)).toEqual({ records: count, batches: batches.length, short: 0, pendingBytes: 0 });
});

test('records of any length keep their tails', async () => {
  const { seen } = watch();
  await write(1000, 0, 5);
  await until(() => seen.length >= 1000);
  expect(seen).toEqual(expected(1000, 0, 5));
});

test('a tail that no longer fits ends the batch and loses nothing', async () => {
  const { seen, batches } = watch({ room: 100 });
  await write(500, 0, 7);
  await until(() => seen.length >= 500);
  expect(seen).toEqual(expected(500, 0, 7));
  expect(batches.length).toBeGreaterThan(500 / 128 + 1);
});

test('a tail longer than the whole buffer is cut to it', async () => {
  const { ring, seen } = watch({ room: 10 });
  api.ringDrain(ring);
  await write(2, 0, 30);
  await until(() => seen.length >= 2);
  expect(seen.map(({ tail }) => tail)).toEqual([[], Array.from({ length: 10 }, () => 1)]);
});

test('after the rings fell idle the next wake-up is heard', async () => {
  const { seen } = watch();
  for (let round = 0; round < 7; round += 1) {
    await write(3, round % 2, 0, 3 * round);
    await until(() => seen.length >= 3 * (round + 1));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(seen.map(({ words }) => words[0])).toEqual(Array.from({ length: 21 }, (_, i) => i));
});

test('on demand the first ring goes before the second, whichever was written first', async () => {
  await write(200, 1);
  await write(150, 0);
  const { ring, seen, batches } = watch();
  expect(api.ringStats(ring).pendingBytes).toBe(350 * 24);
  expect(api.ringDrain(ring)).toBe(350);
  expect(seen).toEqual([...expected(150, 0), ...expected(200, 1)]);
  expect(batches).toEqual([128, 128, 94]);
  expect(api.ringDrain(ring)).toBe(0);
});

test('records shorter than the words asked for are counted and skipped', async () => {
  await write(23, 0, 4);
  const { ring, seen } = watch({ words: 6 });
  api.ringDrain(ring);
  const fit = expected(23, 0, 4).filter(({ tail }) => tail.length >= 8);
  expect(seen.map(({ words }) => words.slice(0, 4))).toEqual(fit.map(({ words }) => words));
  expect(api.ringStats(ring).short).toBe(23 - fit.length);
});

test('the rings go on across the end of their memory', async () => {
  const { ring, seen } = watch();
  for (let round = 0; round < 23; round += 1) {
    seen.length = 0;
    await write(1000, 0, 3, round);
    api.ringDrain(ring);
    await until(() => seen.length >= 1000);
    expect(seen).toEqual(expected(1000, 0, 3, round));
  }
});

test('a flood lets the loop go on to other work', async () => {
  await write(1000);
  let atImmediate = 0;
  const { seen, batches } = watch({ capacity: 1 }, () => {
    if (batches.length > 1) return;
    setImmediate(() => {
      atImmediate = batches.length;
    });
  });
  await until(() => seen.length >= 1000);
  expect(seen).toEqual(expected(1000));
  expect(atImmediate).toBeGreaterThan(0);
  expect(atImmediate).toBeLessThanOrEqual(64);
});

test('an exception of the callback reaches the caller of ringDrain, and the next batch follows', async () => {
  await write(200);
  let angry = true;
  const { ring, seen } = watch({}, () => {
    if (angry) throw new Error('angry');
  });
  expect(() => api.ringDrain(ring)).toThrow('angry');
  angry = false;
  api.ringDrain(ring);
  expect(seen).toEqual(expected(200));
});

test('a ring cannot be drained from its own callback, but closed', async () => {
  await write(300);
  const errors: unknown[] = [];
  const { ring, seen } = watch({}, () => {
    try {
      api.ringDrain(ring);
    } catch (error) {
      errors.push((error as { code: string }).code);
    }
    api.ringClose(ring);
  });
  expect(api.ringDrain(ring)).toBe(128);
  expect(errors).toEqual(['EBUSY']);
  expect(() => api.ringStats(ring)).toThrow(expect.objectContaining({ code: 'EBADF' }));
  const rest = watch();
  expect(api.ringDrain(rest.ring)).toBe(172);
  expect([...seen, ...rest.seen]).toEqual(expected(300));
});

test('rows that were transferred away stop the ring instead of being written to', async () => {
  await write(5);
  const { ring, rows } = watch();
  structuredClone(rows.buffer, { transfer: [rows.buffer] });
  expect(() => api.ringDrain(ring)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  expect(api.ringDrain(watch().ring)).toBe(5);
});

test('unfit options are named', () => {
  const good = {
    words: 4,
    capacity: 8,
    rows: new Uint32Array(48),
    tail: new Uint8Array(1),
    intervalMs: 1,
    idleTicks: 1,
  };
  const openWith = (change: object) => () => api.ringOpen([first], { ...good, ...change }, () => {});
  expect(openWith({ rows: new Uint32Array(47) })).toThrow(/rows \(too short\)/);
  expect(openWith({ words: 0 })).toThrow(/words/);
  expect(openWith({ capacity: 2 ** 40 })).toThrow(/capacity/);
  expect(openWith({ tail: 'x' })).toThrow(/tail/);
  expect(() => api.ringOpen([plan], good, () => {})).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  expect(() => api.ringOpen([], good, () => {})).toThrow(expect.objectContaining({ code: 'EINVAL' }));
});
