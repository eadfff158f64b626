/** One way through the house: who may import whom. A file that reaches back or sideways fails here. */
import { describe, expect, it } from 'vitest';
import { areaOf, IMPORTS, type Import, read, SOURCES } from './tree.js';

/** What each area may import besides itself. `lib` and `model` know nobody; stages know only them. */
const MAY: Readonly<Record<string, readonly string[]>> = {
  model: [],
  lib: ['model'],
  abi: ['model'],
  policy: ['lib', 'model'],
  // The stages.
  kernel: ['abi', 'lib', 'model'],
  decode: ['abi', 'lib', 'model'],
  enrich: ['lib', 'model'],
  detect: ['lib', 'model'],
  decide: ['lib', 'model'],
  // The maps are what an enforcer drives; nothing of it runs the other way.
  enforce: ['kernel', 'abi', 'lib', 'model'],
  report: ['lib', 'model'],
  'pipeline.ts': ['decode', 'enrich', 'detect', 'decide', 'enforce', 'report', 'lib', 'model'],
  control: ['lib', 'model'],
  agent: [
    'abi',
    'control',
    'decide',
    'decode',
    'detect',
    'enforce',
    'enrich',
    'kernel',
    'lib',
    'model',
    'pipeline.ts',
    'policy',
    'report',
  ],
  capture: ['lib', 'model'],
  // Ends in a report of its own: it is the agent without a host.
  replay: ['capture', 'decide', 'lib', 'model', 'pipeline.ts'],
  cli: ['control', 'lib', 'model'],
  // A throwaway place for an agent of its own.
  stage: ['lib', 'model'],
  demo: ['kernel', 'lib', 'model', 'stage'],
  selftest: ['control', 'kernel', 'lib', 'model', 'stage'],
  'main.ts': ['cli', 'lib'],
};

/** Reached by `import()` only, when a command needs them: help and short commands must not load them. */
const LAZILY: Readonly<Record<string, readonly string[]>> = {
  cli: ['agent', 'capture', 'policy', 'replay', 'selftest'],
};

/** Single steps out of line, each with its reason. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'src/model/event-key.ts -> src/lib/ip.ts': 'the network of an address is part of the key it counts by',
};

const local = IMPORTS.filter(({ target }) => target.startsWith('src/'));
const text = ({ file, target }: Import): string => `${file} -> ${target}`;

const isAllowed = ({ file, target, how }: Import): boolean => {
  const from = areaOf(file);
  const to = areaOf(target);
  if (from === to || MAY[from]?.includes(to)) return true;
  return how !== 'value' && (LAZILY[from]?.includes(to) ?? false);
};

describe('imports', () => {
  it('were found', () => {
    expect(local.length).toBeGreaterThan(300);
    expect(local.filter(({ target }) => !SOURCES.includes(target)).map(text)).toEqual([]);
  });

  it('go one way', () => {
    const wrong = local.filter((row) => !isAllowed(row) && !(text(row) in EXCEPTIONS));
    expect(wrong.map(text)).toEqual([]);
  });

  it('make no exception that is not needed', () => {
    const used = local.filter((row) => !isAllowed(row)).map(text);
    expect(Object.keys(EXCEPTIONS).filter((row) => !used.includes(row))).toEqual([]);
    for (const [from, targets] of Object.entries(MAY)) {
      const reached = new Set(
        local.filter(({ file }) => areaOf(file) === from).map((row) => areaOf(row.target)),
      );
      const idle = targets.filter((target) => !reached.has(target));
      expect({ from, idle }).toEqual({ from, idle: IDLE[from] ?? [] });
    }
  });

  it('name an area for each folder', () => {
    expect([...new Set(SOURCES.map(areaOf))].sort()).toEqual(Object.keys(MAY).sort());
  });

  it('of several stages are in the pipeline and the agent only', () => {
    const stages = ['decode', 'enrich', 'detect', 'decide', 'enforce', 'report'];
    const several = SOURCES.filter((file) => {
      const targets = local.filter((row) => row.file === file).map((row) => areaOf(row.target));
      return new Set(targets.filter((target) => stages.includes(target))).size > 1;
    });
    expect(several.filter((file) => file !== 'src/pipeline.ts' && areaOf(file) !== 'agent')).toEqual([]);
    expect(several).toContain('src/pipeline.ts');
  });
});

/** Doors that are meant to be there although nobody goes through them now. */
const IDLE: Readonly<Record<string, readonly string[]>> = {
  'pipeline.ts': ['enrich'],
  agent: ['detect'],
};

/** Runtime dependencies, and the one place that imports each. */
const PLACES: Readonly<Record<string, readonly string[]>> = {
  '@marcbachmann/cel-js': ['src/policy/cel.ts'],
  commander: ['src/cli/program.ts'],
  execa: ['src/stage/children.ts'],
  'ipaddr.js': ['src/lib/ip.ts'],
  'lru-cache': ['src/lib/lru.ts'],
  pino: ['src/report/audit-log.ts'],
  yaml: ['src/policy/'],
  // Three inputs come from outside, and each has a schema of its own.
  zod: ['src/agent/config.ts', 'src/control/', 'src/policy/'],
  // Used by native/build-addon alone: headers.
  'node-addon-api': [],
  // Loads the addon; see below.
  'node-gyp-build': ['src/kernel/native.ts'],
};

describe('dependencies', () => {
  const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };

  it('have a row each', () => {
    expect(Object.keys(PLACES).sort()).toEqual(Object.keys(dependencies).sort());
  });

  it.each(Object.entries(PLACES))('%s is imported where it belongs', (name, places) => {
    const files = IMPORTS.filter(({ target }) => target === name || target.startsWith(`${name}/`)).map(
      ({ file }) => file,
    );
    expect(files.filter((file) => !places.some((place) => file.startsWith(place)))).toEqual([]);
    const idle = places.filter((place) => !files.some((file) => file.startsWith(place)));
    expect(idle).toEqual(name === 'node-gyp-build' ? places : []);
  });

  it('nothing else is imported', () => {
    const foreign = IMPORTS.map(({ target }) => target).filter((target) => !/^(src\/|node:)/.test(target));
    expect(foreign.filter((name) => !(name in dependencies))).toEqual([]);
  });

  it('only src/kernel/native.ts loads the addon', () => {
    const loaders = SOURCES.filter((file) => /createRequire|node-gyp-build|\.node['"`]/.test(read(file)));
    expect(loaders).toEqual(['src/kernel/native.ts']);
  });
});

describe('detect and decide are pure', () => {
  /** The one part with a disk behind it is the journal, which the ledger knows as an interface. */
  const DISK = /^src\/decide\/journal(-\w+)?\.ts$/;
  const IMPURE =
    /\bDate\.now\b|\bnew Date\(\)|\bset(?:Timeout|Interval|Immediate)\b|\bhrtime\b|\bperformance\.|\bMath\.random\b|\bprocess\./;
  const pure = SOURCES.filter((file) => /^src\/(detect|decide)\//.test(file));

  it('has no clock, timer, chance or process', () => {
    expect(pure.filter((file) => IMPURE.test(read(file)))).toEqual([]);
    expect(pure.length).toBeGreaterThan(25);
  });

  it('imports nothing of Node, but for the journal files', () => {
    const users = IMPORTS.filter(({ file, target }) => pure.includes(file) && target.startsWith('node:'));
    expect(users.filter(({ file }) => !DISK.test(file)).map(text)).toEqual([]);
    expect(users.map(({ target }) => target)).toContain('node:fs');
  });
});
