/** Exits 0 when node_modules already holds exactly what package-lock.json asks for, else 1. Argument: the root. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const read = (root, ...path) => JSON.parse(readFileSync(join(root, ...path), 'utf8')).packages;

/** What npm recorded when it last wrote node_modules, against the lock; optional packages of other platforms may lack. */
const same = (root) => {
  const wanted = read(root, 'package-lock.json');
  const found = read(root, 'node_modules', '.package-lock.json');
  const names = Object.keys(wanted).filter((name) => name !== '');
  return (
    names.every((name) => (found[name] ? found[name].integrity === wanted[name].integrity : wanted[name].optional)) &&
    Object.keys(found).every((name) => name in wanted)
  );
};

try {
  process.exitCode = same(process.argv[2]) ? 0 : 1;
} catch {
  process.exitCode = 1;
}
