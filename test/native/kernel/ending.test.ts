/** Processes and workers whose rings are busy end cleanly, whatever ends them. */
import { afterAll, expect, test } from 'vitest';
import { compile, makeCgroup, runFile, tempFolder } from '../fixture.js';

const folder = tempFolder();
const path = compile(folder.path);
const cgroup = makeCgroup('ending');
afterAll(() => {
  cgroup.drop();
  folder.drop();
});

test.each([
  ['throw', 'from the callback\n'],
  ['exit', ''],
  ['close', ''],
  ['backwards', ''],
  ['worker-exit', 'worker ended\n'],
  ['worker-close', 'worker ended\n'],
  ['worker-backwards', 'worker ended\n'],
  ['worker-terminate', 'worker ended\n'],
  ['worker-throw', 'from the callback\nworker ended\n'],
])('%s', async (way, said) => {
  expect(await runFile('kernel/ending.cjs', path, cgroup.path, way)).toEqual({ code: 0, out: said });
});
