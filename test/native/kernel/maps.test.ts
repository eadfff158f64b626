/** Maps of each kind, through descriptors and pins. */
import { rmSync } from 'node:fs';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import type { ObjectHandle } from '../../../src/kernel/native.js';
import { api, compile, pinPath, tempFolder, u32, u64 } from '../fixture.js';

const folder = tempFolder();
const path = compile(folder.path);
afterAll(folder.drop);

const F_LOCK = 4;
let object: ObjectHandle;
let opened: number[];
const mapFd = (name: string) => {
  const fd = api.objectMapFd(object, name);
  opened.push(fd);
  return fd;
};

beforeEach(() => {
  opened = [];
  object = api.objectOpen(path);
});
afterEach(() => {
  opened.forEach(api.closeFd);
  api.objectClose(object);
});

test('an array map is described, read and written', () => {
  api.objectLoad(object);
  const fd = mapFd('plan');
  expect(api.mapInfo(fd)).toMatchObject({ type: 2, keySize: 4, valueSize: 16, maxEntries: 1, name: 'plan' });
  api.mapUpdate(fd, u32(0), u32(1, 2, 3, 4), 0);
  const value = new Uint8Array(16);
  expect(api.mapLookup(fd, u32(0), value, 0)).toBe(true);
  expect(value).toEqual(u32(1, 2, 3, 4));
  expect(() => api.mapUpdate(fd, u32(1), value, 0)).toThrow(expect.objectContaining({ code: 'E2BIG' }));
});

test('a hash map tells absent from present, and obeys the flags', () => {
  api.objectLoad(object);
  const fd = mapFd('table');
  const value = u32(0);
  expect(api.mapLookup(fd, u64(1), value, 0)).toBe(false);
  expect(api.mapDelete(fd, u64(1))).toBe(false);
  expect(() => api.mapUpdate(fd, u64(1), u32(5), 2)).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  api.mapUpdate(fd, u64(1), u32(5), 1);
  expect(() => api.mapUpdate(fd, u64(1), u32(6), 1)).toThrow(expect.objectContaining({ code: 'EEXIST' }));
  expect(api.mapLookup(fd, u64(1), value, 0)).toBe(true);
  expect(value).toEqual(u32(5));
  expect(api.mapDelete(fd, u64(1))).toBe(true);
});

test('a value with a lock is written and read under it', () => {
  api.objectLoad(object);
  const fd = mapFd('guarded');
  api.mapUpdate(fd, u32(3), u32(0, 77), F_LOCK);
  const value = new Uint8Array(8);
  expect(api.mapLookup(fd, u32(3), value, F_LOCK)).toBe(true);
  expect(value).toEqual(u32(0, 77));
  expect(() => api.mapUpdate(mapFd('table'), u64(1), u32(1), F_LOCK)).toThrow(
    expect.objectContaining({ code: 'EINVAL' }),
  );
});

test('a per-CPU value holds one 8-byte place per processor', () => {
  api.objectLoad(object);
  const fd = mapFd('spread');
  expect(() => api.mapLookup(fd, u32(0), new Uint8Array(4), 0)).toThrow(/the map has \d+/);
  const size = Number(
    /the map has (\d+)/.exec(String(caught(() => api.mapLookup(fd, u32(0), u32(0), 0))))?.[1],
  );
  expect(size % 8).toBe(0);
  const value = new Uint8Array(size).fill(9);
  expect(api.mapLookup(fd, u32(1), value, 0)).toBe(true);
  expect(value).toEqual(new Uint8Array(size));
});

const caught = (call: () => void): unknown => {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('it did not throw');
};

test('keys and values of a wrong size are refused before the kernel sees them', () => {
  api.objectLoad(object);
  const fd = mapFd('table');
  for (const key of [new Uint8Array(0), u32(1), new Uint8Array(9)]) {
    expect(() => api.mapLookup(fd, key, u32(0), 0)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
    expect(() => api.mapDelete(fd, key)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  }
  expect(() => api.mapUpdate(fd, u64(1), u64(1), 0)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  expect(() => api.mapKeys(fd, 4)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
});

test.each([0, 1, 256, 257, 1000])('a walk over %i keys names each once', (count) => {
  api.objectLoad(object);
  const fd = mapFd('table');
  for (let key = 0; key < count; key += 1) api.mapUpdate(fd, u64(key * 7919), u32(key), 0);
  const keys = [...new BigUint64Array(api.mapKeys(fd, 8).buffer)].map(Number).sort((a, b) => a - b);
  expect(keys).toEqual(Array.from({ length: count }, (_, key) => key * 7919));
});

test('a walk goes over arrays too, and is refused by a ring', () => {
  api.objectLoad(object);
  expect(api.mapKeys(mapFd('spread'), 4)).toEqual(u32(0, 1));
  expect(() => api.mapKeys(mapFd('first'), 0)).toThrow(
    expect.objectContaining({ errno: expect.any(Number) }),
  );
});

test('a full map says so, and setMaxEntries sets where that is', () => {
  api.setMaxEntries(object, 'table', 3);
  api.objectLoad(object);
  const fd = mapFd('table');
  for (const key of [1, 2, 3]) api.mapUpdate(fd, u64(key), u32(key), 0);
  expect(() => api.mapUpdate(fd, u64(4), u32(4), 0)).toThrow(expect.objectContaining({ code: 'E2BIG' }));
});

test('a descriptor that is no map, or was closed, is refused', () => {
  api.objectLoad(object);
  expect(() => api.mapLookup(0, u32(0), u32(0), 0)).toThrow(expect.objectContaining({ code: 'EBADF' }));
  expect(() => api.mapInfo(0)).toThrow(expect.objectContaining({ code: 'EBADF' }));
  const fd = api.objectMapFd(object, 'table');
  api.closeFd(fd);
  expect(() => api.mapLookup(fd, u64(0), u32(0), 0)).toThrow(expect.objectContaining({ code: 'EBADF' }));
  expect(() => api.closeFd(fd)).toThrow(expect.objectContaining({ code: 'EBADF' }));
});

test('a pinned map outlives its object and is used again by the next', () => {
  const pin = pinPath('table');
  api.setMapPin(object, 'table', pin);
  api.objectLoad(object);
  api.mapUpdate(mapFd('table'), u64(42), u32(24), 0);
  api.objectClose(object);

  object = api.objectOpen(path);
  api.setMapPin(object, 'table', pin);
  api.objectLoad(object);
  const value = u32(0);
  expect(api.mapLookup(mapFd('table'), u64(42), value, 0)).toBe(true);
  expect(value).toEqual(u32(24));
  const fd = api.mapOpen(pin);
  opened.push(fd);
  expect(api.mapInfo(fd)).toEqual(api.mapInfo(mapFd('table')));
  rmSync(pin);
  expect(() => api.mapOpen(pin)).toThrow(expect.objectContaining({ code: 'ENOENT' }));
});

test('a pinned map of another definition stops the load, names the path and stays as it is', () => {
  const pin = pinPath('other');
  api.setMapPin(object, 'plan', pin);
  api.objectLoad(object);
  const before = api.mapInfo(mapFd('plan'));
  api.objectClose(object);

  object = api.objectOpen(path);
  api.setMapPin(object, 'table', pin);
  expect(() => api.objectLoad(object)).toThrow(new RegExp(`${pin}.*mismatch`));
  const fd = api.mapOpen(pin);
  opened.push(fd);
  expect(api.mapInfo(fd)).toEqual(before);
  rmSync(pin);
});
