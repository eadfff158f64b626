/**
 * Lets Node run the TypeScript below the root as compiled into build/bench, under its own address: whatever a
 * file finds beside itself is found. For `node --import`.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { register } from 'node:module';
import { isMainThread } from 'node:worker_threads';

const ROOT = new URL('../../', import.meta.url).href;
const BUILT = new URL('build/bench/', ROOT).href;

const isOurs = (url) => url.startsWith(ROOT) && !url.startsWith(`${ROOT}node_modules/`);

/** As tsc reads it, `./x.js` beside a TypeScript file means `./x.ts`. */
export const resolve = async (specifier, context, next) => {
  if (/^\.\.?\//.test(specifier) && isOurs(context.parentURL ?? '')) {
    const url = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL);
    if (url.href.endsWith('.ts') && existsSync(url)) return { url: url.href, format: 'module', shortCircuit: true };
  }
  return next(specifier, context);
};

export const load = async (url, context, next) => {
  if (!isOurs(url) || !url.endsWith('.ts')) return next(url, context);
  const built = new URL(url.slice(ROOT.length).replace(/\.ts$/, '.js'), BUILT);
  return { format: 'module', source: await readFile(built), shortCircuit: true };
};

// The hooks themselves run on a thread of Node's own, which loads this file too.
if (isMainThread) register(import.meta.url);
