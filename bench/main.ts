/** Runs a bench by its name, or lists them: `main [NAME] [--rounds N] [-o table|json]`. */
import { readdirSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { KerngateError } from '../src/model/error.js';
import type { Bench } from './lib/bench.js';
import { lines } from './lib/print.js';
import { evaluate } from './lib/stats.js';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const USAGE = 'usage: npm run bench -- [NAME] [--rounds N] [-o table|json]';

/** Each file beside this one is a bench. */
const names = (): string[] =>
  readdirSync(HERE)
    .filter((file) => /^[a-z-]+\.ts$/.test(file) && file !== 'main.ts')
    .map((file) => file.slice(0, -'.ts'.length))
    .sort();

const load = async (name: string): Promise<Bench> => (await import(`./${name}.ts`)) as Bench;

const list = async (): Promise<number> => {
  for (const name of names()) console.log(`${name.padEnd(12)} ${(await load(name)).summary}`);
  console.log(USAGE);
  return 0;
};

const refuse = (message: string): number => {
  console.error(`bench: ${message}\n${USAGE}`);
  return 2;
};

const measure = async (name: string, rounds: number | undefined, json: boolean): Promise<number> => {
  const before = loadavg()[0] ?? 0;
  const say = (line: string): void => console.error(line);
  const bench = await load(name);
  const result = evaluate(await bench.run({ rounds, say }));
  const around = [before, loadavg()[0] ?? 0] as const;
  const machine = {
    cpu: cpus()[0]?.model ?? '',
    cpus: cpus().length,
    kernel: release(),
    node: process.version,
  };
  if (json) console.log(JSON.stringify({ bench: name, machine, load: around, ...result }));
  else console.log([`${name}: ${bench.summary}`, ...lines(result, around)].join('\n'));
  if (!result.sound) console.error(`bench: ${name}: a count is wrong`);
  return result.sound ? 0 : 1;
};

/** What the bench needs and has not, in its own words; anything else is a fault and keeps its trace. */
const explain = (error: unknown): number => {
  if (!(error instanceof KerngateError)) throw error;
  console.error(`bench: ${error.message}${error.remedy === undefined ? '' : `\n  ${error.remedy}`}`);
  return 1;
};

/** Returns the exit code: 0 measured (a goal may be missed), 1 failed or a count is wrong, 2 usage. */
export const main = async (args: string[]): Promise<number> => {
  let parsed: ReturnType<typeof read>;
  try {
    parsed = read(args);
  } catch (error) {
    return refuse((error as Error).message);
  }
  const { values, positionals } = parsed;
  const [name, ...more] = positionals;
  if (name === undefined) return list();
  if (more.length > 0) return refuse(`one bench at a time, not also ${more.join(' ')}`);
  if (!names().includes(name)) return refuse(`no bench named ${name}; there are: ${names().join(' ')}`);
  if (values.rounds !== undefined && !/^[1-9]\d{0,6}$/.test(values.rounds))
    return refuse(`--rounds takes a whole number from 1 on, not ${values.rounds}`);
  if (!['table', 'json'].includes(values.output))
    return refuse(`-o takes table or json, not ${values.output}`);
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  return measure(name, rounds, values.output === 'json').catch(explain);
};

const read = (args: string[]) =>
  parseArgs({
    args,
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      output: { type: 'string', short: 'o', default: 'table' },
    },
  });
