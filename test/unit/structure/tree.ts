/** The files of this tree as text, and what they import; for tests that read the code itself. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Folders that hold what was built or fetched. */
const FOREIGN = new Set(['node_modules', 'dist', 'build', 'vendor', '.git']);

export const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Paths of all files below a folder whose name passes, relative to the root, in order. */
export const filesBelow = (folder: string, passes: RegExp): string[] =>
  readdirSync(join(ROOT, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return FOREIGN.has(entry.name) ? [] : filesBelow(path, passes);
      return passes.test(entry.name) ? [path] : [];
    })
    .sort();

export const foldersIn = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();

export interface Import {
  /** Importing file, `src/cli/status.ts`. */
  readonly file: string;
  /** The imported file (`src/lib/table.ts`), package (`zod`), or module of Node (`node:fs`). */
  readonly target: string;
  readonly how: 'value' | 'type' | 'dynamic';
}

const STATEMENT = /^(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|\bimport\('([^']+)'\)/gm;

const importsOf = (file: string): Import[] =>
  [...read(file).matchAll(STATEMENT)].map(([, type, from, lazily]) => {
    const name = from ?? lazily ?? '';
    const target = name.startsWith('.') ? normalize(join(dirname(file), name)).replace(/\.js$/, '.ts') : name;
    return { file, target, how: lazily === undefined ? (type === undefined ? 'value' : 'type') : 'dynamic' };
  });

export const SOURCES: readonly string[] = filesBelow('src', /\.ts$/);
export const IMPORTS: readonly Import[] = SOURCES.flatMap(importsOf);

/** The folder below src a file belongs to, or its own name when it lies in src itself. */
export const areaOf = (file: string): string => file.split('/')[1] ?? '';
