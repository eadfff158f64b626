/** The vendored source is unpacked only when it is the pinned one. Runs in a copy, never in the tree's own folders. */
import { type ExecFileException, execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { tempFolder } from './fixture.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const native = join(root, 'native');
const genuine = join(native, 'vendor/libbpf_1.5.0.orig.tar.gz');
const folder = tempFolder();
afterAll(folder.drop);

const fetchIn = async (env: Record<string, string>) => {
  const copy = mkdtempSync(join(folder.path, 'tree-'));
  for (const file of ['native/fetch-libbpf', 'native/libbpf.pin', 'scripts/lib/apt.sh'])
    cpSync(join(root, file), join(copy, file));
  const { PATH = '' } = process.env;
  const [error, said] = await new Promise<[ExecFileException | null, string]>((resolve) => {
    execFile(join(copy, 'native/fetch-libbpf'), { env: { PATH, ...env } }, (failure, out, err) =>
      resolve([failure, out + err]),
    );
  });
  return { code: error?.code ?? 0, said, source: join(copy, 'native/vendor/libbpf/src/libbpf.c') };
};

test('the pinned archive is unpacked', async () => {
  const { code, source } = await fetchIn({ KERNGATE_LIBBPF_TARBALL: genuine });
  expect(code).toBe(0);
  expect(existsSync(source)).toBe(true);
});

test('an archive that differs in one byte is refused before it is unpacked', async () => {
  const forged = join(folder.path, 'forged.tar.gz');
  const bytes = readFileSync(genuine);
  bytes[1000] = (bytes[1000] as number) ^ 1;
  writeFileSync(forged, bytes);
  const { code, said, source } = await fetchIn({ KERNGATE_LIBBPF_TARBALL: forged });
  expect(code).toBe(1);
  expect(said).toMatch(
    /has sha256 [0-9a-f]{64}, wanted 53492aff.*Nothing was unpacked.*KERNGATE_LIBBPF_TARBALL/,
  );
  expect(existsSync(source)).toBe(false);
});

test('no archive and no package source is said with a remedy', async () => {
  const { code, said } = await fetchIn({ KERNGATE_APT_ETC: '/nonexistent' });
  expect(code).toBe(1);
  expect(said).toMatch(
    /no package source of this machine offers libbpf 1\.5\.0.*Set KERNGATE_LIBBPF_TARBALL/,
  );
});
