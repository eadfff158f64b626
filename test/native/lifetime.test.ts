/** Handles and environments end in any order, and unfit arguments throw; each in a process that would show a crash. */
import { afterAll, expect, test } from 'vitest';
import { api, compile, runFile, tempFolder } from './fixture.js';

const folder = tempFolder();
afterAll(folder.drop);
const object = compile(folder.path);

test('unfit arguments throw errors with a code and never crash', async () => {
  const { code, out } = await runFile('garbage.cjs');
  expect(code, out).toBe(0);
  const { calls, thrown, unnamed } = JSON.parse(out);
  expect(unnamed).toBe(0);
  // bootNs takes any arguments, and so does sdNotify take any string where no manager listens.
  expect(thrown).toBeGreaterThan(0.9 * calls);
});

test('a handle of one kind is not taken for another', () => {
  const handle = api.objectOpen(object);
  for (const wrong of [{}, { ...handle }, new Proxy(handle, {})] as (typeof handle)[]) {
    expect(() => api.objectPrograms(wrong)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  }
  expect(() => api.linkClose(handle as never)).toThrow(TypeError);
  expect(() => api.ringDrain(handle as never)).toThrow(TypeError);
  expect(api.objectPrograms(handle)).toEqual(['emit', 'refuse', 'broken', 'renamed']);
  api.objectClose(handle);
});

test('a closed object says so, and closes twice', () => {
  const handle = api.objectOpen(object);
  api.objectClose(handle);
  api.objectClose(handle);
  expect(() => api.objectPrograms(handle)).toThrow(expect.objectContaining({ code: 'EBADF' }));
  expect(() => api.objectLoad(handle)).toThrow(expect.objectContaining({ code: 'EBADF' }));
  expect(() => api.objectMapFd(handle, 'table')).toThrow(expect.objectContaining({ code: 'EBADF' }));
});

test('what the object does not hold is named', () => {
  const handle = api.objectOpen(object);
  expect(() => api.setAutoload(handle, 'nosuch', true)).toThrow(/no program nosuch.*ENOENT/);
  expect(() => api.setMaxEntries(handle, 'nosuch', 1)).toThrow(/no map nosuch.*ENOENT/);
  expect(() => api.objectMapFd(handle, 'table')).toThrow(/table is not loaded/);
  api.objectClose(handle);
});

test('a file that is no BPF object is refused, with what libbpf said about it', () => {
  const open = () => api.objectOpen('/etc/passwd');
  expect(open).toThrow(expect.objectContaining({ log: expect.stringContaining('/etc/passwd') }));
  expect(() => api.objectOpen('/nonexistent')).toThrow(expect.objectContaining({ code: 'ENOENT', errno: 2 }));
});

test('worker threads load it again and end in any order', async () => {
  expect(await runFile('threads.cjs', object)).toEqual({ code: 0, out: 'whole\n' });
});

test('collected handles release what they hold', async () => {
  expect(await runFile('collect.cjs', object)).toEqual({ code: 0, out: 'bounded\n' });
});
