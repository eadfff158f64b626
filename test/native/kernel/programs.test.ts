/** Programs and links: load, attach to a cgroup, pin, replace, detach. */
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { NativeError, ObjectHandle } from '../../../src/kernel/native.js';
import { api, compile, connectFrom, makeCgroup, pinPath, tempFolder, u32, u64 } from '../fixture.js';

const folder = tempFolder();
const path = compile(folder.path);
const cgroup = makeCgroup('programs');
let object: ObjectHandle;

beforeAll(() => {
  object = api.objectOpen(path);
  api.setAutoload(object, 'renamed', true);
  api.objectLoad(object);
});
beforeEach(async () => {
  expect(await connectFrom(cgroup.path)).toBe('ECONNREFUSED');
});
afterAll(() => {
  api.objectClose(object);
  cgroup.drop();
  folder.drop();
});

test('a program the verifier refuses is named, with the end of its log', () => {
  const broken = api.objectOpen(path);
  api.setAutoload(broken, 'broken', true);
  let error: NativeError | undefined;
  try {
    api.objectLoad(broken);
  } catch (thrown) {
    error = thrown as NativeError;
  }
  expect(error).toMatchObject({ code: 'EACCES', errno: 13 });
  expect(error?.message).toContain("prog 'broken'");
  expect(error?.log).toMatch(/invalid mem access '(map_value_or_null|scalar)'/);
  expect(error?.log?.split('\n').length).toBeLessThanOrEqual(40);
  api.objectClose(broken);
});

test('programInfo tells what was loaded and refuses what was not', () => {
  expect(api.programInfo(object, 'emit')).toEqual({
    id: expect.any(Number),
    insns: expect.any(Number),
    jited: expect.any(Number),
  });
  expect(api.programInfo(object, 'emit').insns).toBeGreaterThan(api.programInfo(object, 'refuse').insns);
  expect(() => api.programInfo(object, 'broken')).toThrow(/broken is not loaded/);
});

test('a link refuses connects in its cgroup until it is closed', async () => {
  const link = api.attach(object, 'refuse', cgroup.fd);
  expect(await connectFrom(cgroup.path)).toBe('EPERM');
  const info = api.linkInfo(link);
  expect(info.programId).toBe(api.programInfo(object, 'refuse').id);
  expect(info.cgroupId).toBe(statSync(cgroup.path, { bigint: true }).ino);
  api.linkClose(link);
  api.linkClose(link);
  expect(() => api.linkInfo(link)).toThrow(expect.objectContaining({ code: 'EBADF' }));
  expect(await connectFrom(cgroup.path)).toBe('ECONNREFUSED');
});

test('linkUpdate replaces the program in place', async () => {
  const link = api.attach(object, 'emit', cgroup.fd);
  const before = api.linkInfo(link);
  expect(await connectFrom(cgroup.path)).toBe('ECONNREFUSED');
  api.linkUpdate(link, object, 'refuse');
  expect(await connectFrom(cgroup.path)).toBe('EPERM');
  expect(api.linkInfo(link)).toEqual({ ...before, programId: api.programInfo(object, 'refuse').id });
  expect(() => api.linkUpdate(link, object, 'broken')).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  api.linkClose(link);
});

test('a pinned link holds after it was closed, and is detached through its pin', async () => {
  const pin = pinPath('link');
  const link = api.attach(object, 'refuse', cgroup.fd);
  const { id } = api.linkInfo(link);
  api.linkPin(link, pin);
  expect(() => api.linkPin(api.linkOpen(pin), pin)).toThrow(
    expect.objectContaining({ code: expect.any(String) }),
  );
  api.linkClose(link);
  expect(await connectFrom(cgroup.path)).toBe('EPERM');
  const again = api.linkOpen(pin);
  expect(api.linkInfo(again).id).toBe(id);
  api.linkDetach(again);
  expect(await connectFrom(cgroup.path)).toBe('ECONNREFUSED');
  expect(api.linkInfo(again).cgroupId).toBe(0n);
  api.linkClose(again);
  rmSync(pin);
});

test('a pinned tracepoint link goes on counting after it was closed', () => {
  const table = api.objectMapFd(object, 'table');
  const count = u32(0);
  const rename = () => {
    writeFileSync('/proc/self/comm', 'kerngate-test');
    expect(api.mapLookup(table, u64(process.pid), count, 0)).toBe(true);
    return new Uint32Array(count.buffer)[0];
  };
  api.mapUpdate(table, u64(process.pid), count, 0);
  const pin = pinPath('tracepoint');
  const link = api.attach(object, 'renamed', -1);
  api.linkPin(link, pin);
  expect(rename()).toBe(1);
  api.linkClose(link);
  expect(rename()).toBe(2);
  rmSync(pin);
  // The kernel lets go of the last reference a little later; a link that stayed would count for ever.
  for (let before = rename(), after = rename(); before !== after; after = rename()) before = after;
  api.closeFd(table);
});

test('what cannot be attached, opened or pinned says why', () => {
  expect(() => api.attach(object, 'refuse', -1)).toThrow(expect.objectContaining({ code: 'EBADF' }));
  expect(() => api.attach(object, 'broken', cgroup.fd)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  expect(() => api.linkOpen(pinPath('nosuch'))).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  const link = api.attach(object, 'refuse', cgroup.fd);
  expect(() => api.linkPin(link, '/tmp/kerngate-no-bpffs')).toThrow(
    expect.objectContaining({ code: 'EINVAL' }),
  );
  api.linkClose(link);
});

test('a pin of another kind is not taken for a link or a map', () => {
  const pin = pinPath('kind');
  const other = api.objectOpen(path);
  api.setMapPin(other, 'table', pin);
  api.objectLoad(other);
  expect(() => api.linkOpen(pin)).toThrow(/no BPF link/);
  rmSync(pin);
  const link = api.attach(other, 'emit', cgroup.fd);
  api.linkPin(link, pin);
  expect(() => api.mapOpen(pin)).toThrow(/not a BPF map/);
  api.linkClose(link);
  api.objectClose(other);
  rmSync(pin);
});

test('a detached link is renewed with the same program, in the same place, and pinned', async () => {
  const link = api.attach(object, 'refuse', cgroup.fd);
  const path = pinPath('renewed');
  const { programId } = api.linkInfo(link);
  api.linkDetach(link);
  expect(api.linkInfo(link).cgroupId).toBe(0n);
  expect(await connectFrom(cgroup.path)).toBe('ECONNREFUSED');
  api.linkRenew(link, cgroup.fd, path);
  expect(await connectFrom(cgroup.path)).toBe('EPERM');
  const fresh = api.linkOpen(path);
  expect(api.linkInfo(fresh)).toMatchObject({
    programId,
    cgroupId: statSync(cgroup.path, { bigint: true }).ino,
  });
  rmSync(path);
  api.linkPin(fresh, path); /* again: its pin was taken away */
  expect(() => api.linkPin(fresh, path)).toThrow(expect.objectContaining({ code: 'EEXIST' }));
  for (const each of [link, fresh]) api.linkClose(each);
  expect(await connectFrom(cgroup.path)).toBe('EPERM');
  rmSync(path);
});

test('cgroupPrograms and programName tell who is on a cgroup, and how', () => {
  const CONNECT4 = 10;
  expect(api.cgroupPrograms(cgroup.fd, CONNECT4)).toEqual({ flags: expect.any(Number), ids: [] });
  const link = api.attach(object, 'refuse', cgroup.fd);
  const { ids, flags } = api.cgroupPrograms(cgroup.fd, CONNECT4);
  expect({ ids, flags }).toEqual({ ids: [api.programInfo(object, 'refuse').id], flags: 2 });
  expect(api.programName(ids[0] ?? 0)).toBe('refuse');
  api.linkClose(link);
  expect(() => api.programName(0x7fff_fff0)).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  expect(() => api.cgroupPrograms(cgroup.fd, 9999)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  expect(() => api.linkRenew({} as never, cgroup.fd, '/x')).toThrow(TypeError);
});
