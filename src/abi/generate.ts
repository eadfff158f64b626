/** `npm run abi`: writes src/abi/generated.ts from the built object; with `--check` only compares. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { emitTypeScript, type HookFile } from './emit.js';
import { readAbi } from './layout.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const OBJECT_PATH = join(ROOT, 'bpf/build/kerngate.bpf.o');
export const GENERATED_PATH = join(ROOT, 'src/abi/generated.ts');

/** The text generated.ts must have for the object at `path`. */
export const generate = (path: string = OBJECT_PATH): string => {
  const folder = join(ROOT, 'bpf/hooks');
  const hooks: Record<string, HookFile> = {};
  for (const name of readdirSync(folder)) {
    hooks[name] = JSON.parse(readFileSync(join(folder, name, 'hook.json'), 'utf8')) as HookFile;
  }
  return emitTypeScript(readAbi(readFileSync(path)), hooks);
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = generate();
  if (!process.argv.includes('--check')) {
    writeFileSync(GENERATED_PATH, text);
  } else if (readFileSync(GENERATED_PATH, 'utf8') !== text) {
    process.stderr.write('src/abi/generated.ts does not fit the object. Run: npm run abi\n');
    process.exitCode = 1;
  }
}
