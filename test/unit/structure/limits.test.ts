/** Sizes, first lines and names: what keeps every file readable on its own. Functions are measured by the linter. */
import { describe, expect, it } from 'vitest';
import { filesBelow, foldersIn, read } from './tree.js';

const LINES_MAX = 250;
const C_FUNCTION_MAX = 60;
const WRITTEN = ['src', 'bench', 'test', 'bpf', 'native', 'scripts', 'policies'].flatMap((folder) =>
  filesBelow(folder, /\.(ts|c|h|cc|mjs|cjs|yaml)$|^[a-z-]+$/),
);
const files = WRITTEN.filter((file) => file !== 'src/abi/generated.ts');
const typescript = files.filter((file) => file.endsWith('.ts'));

describe('every file', () => {
  it(`has at most ${LINES_MAX} lines`, () => {
    const long = files.map((file) => [file, read(file).trimEnd().split('\n').length] as const);
    expect(long.filter(([, lines]) => lines > LINES_MAX).map(([file]) => file)).toEqual([]);
    expect(long.length).toBeGreaterThan(250);
  });

  it('leaves nothing to be done', () => {
    const marks = new RegExp(['TO', 'DO|FIX', 'ME|HA', 'CK:'].join(''));
    expect(files.filter((file) => marks.test(read(file)))).toEqual([]);
  });

  it('skips no test and runs no test alone', () => {
    const held = /\b(?:it|describe|test)\.(?:skip|only|todo|skipIf|runIf|fails)\b/;
    expect(typescript.filter((file) => held.test(read(file)))).toEqual([]);
  });

  it('says its one job first', () => {
    const silent = typescript.filter((file) => !/^\/\*\*(?: \S|\n \* \S)/.test(read(file)));
    expect(silent).toEqual([]);
  });

  it('is named in kebab-case, C in snake_case', () => {
    const name = (file: string): string => file.slice(file.lastIndexOf('/') + 1);
    expect(
      typescript.map(name).filter((text) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.(test|config))?\.ts$/.test(text)),
    ).toEqual([]);
    const bpf = filesBelow('bpf', /\.[ch]$/).map(name);
    expect(bpf.filter((text) => !/^[a-z0-9_]+(\.bpf)?\.[ch]$/.test(text))).toEqual([]);
  });
});

it('the linter holds functions to 45 lines', () => {
  const rule = /"noExcessiveLinesPerFunction": \{\s*"level": "error",\s*"options": \{\s*"maxLines": 45\s*\}/;
  expect(read('biome.json')).toMatch(rule);
});

describe('bpf/', () => {
  const sources = filesBelow('bpf', /\.[ch]$/);

  it('says its licence first', () => {
    const silent = sources.filter(
      (file) => !/^\/[/*] SPDX-License-Identifier: GPL-2\.0-only OR BSD-2-Clause/.test(read(file)),
    );
    expect(silent).toEqual([]);
  });

  it('has maps and programs of at most 15 characters that begin with kg_', () => {
    const names = sources.flatMap((file) => namesIn(read(file)));
    expect(names.length).toBeGreaterThan(25);
    expect(names.filter((name) => !/^kg_\w+$/.test(name) || name.length > 15)).toEqual([]);
  });

  it('includes only lower layers in lib/, and no hook but by its events', () => {
    const wrong = sources.flatMap((file) =>
      [...read(file).matchAll(/^#include "([^"]+)"/gm)]
        .map(([, target]) => `${file.slice('bpf/'.length)} includes ${target}`)
        .filter((row) => !isDownward(row)),
    );
    expect(wrong).toEqual([]);
  });

  it(`has no function of more than ${C_FUNCTION_MAX} lines`, () => {
    const long = sources.flatMap((file) =>
      functionsOf(read(file)).map(({ name, lines }) => ({ file, name, lines })),
    );
    expect(long.length).toBeGreaterThan(80);
    expect(long.filter(({ lines }) => lines > C_FUNCTION_MAX)).toEqual([]);
  });

  it('says of each way out of a decision on which side it falls', () => {
    expect(DECIDING.flatMap(({ file, functions }) => unsaid(read(file), functions))).toEqual([]);
  });

  it('describes each hook', () => {
    for (const hook of foldersIn('bpf/hooks')) {
      const { summary, role, programs } = JSON.parse(read(`bpf/hooks/${hook}/hook.json`));
      expect(summary).toMatch(/^[A-Z].{10,70}[^.]$/);
      expect(['gate', 'life', 'outcome', 'source']).toContain(role);
      const source = read(`bpf/hooks/${hook}/${hook}.bpf.c`);
      expect(programs.map(({ name }: { name: string }) => name)).toEqual(programsIn(source));
    }
  });
});

const programsIn = (source: string): string[] =>
  [...source.matchAll(/^SEC\("(?!\.maps|license)[^"]+"\)\nint (?:BPF_K?PRO(?:G|BE)\()?(\w+)/gm)].map(
    ([, name]) => name ?? '',
  );

const namesIn = (source: string): string[] => [
  ...programsIn(source),
  ...[...source.matchAll(/^\} (\w+) SEC\("\.maps"\)/gm)].map(([, name]) => name ?? ''),
  ...[...source.matchAll(/^KG_MAP\(.*, (\w+)\);/gm)].map(([, name]) => name ?? ''),
];

const layerOf = (path: string): number => Number(/^lib\/(\d)_/.exec(path)?.[1] ?? Number.NaN);

/** abi/ knows abi/; a layer knows lower layers and abi/; a hook knows lib/, and events of hooks. */
const isDownward = (row: string): boolean => {
  const [file = '', target = ''] = row.split(' includes ');
  if (file.startsWith('abi/')) return !target.includes('/') || target.startsWith('abi/');
  if (file.startsWith('lib/')) return target.startsWith('abi/') || layerOf(target) < layerOf(file);
  return /^(abi\/|lib\/\d_|hooks\/\w+\/event\.h$)/.test(target);
};

/** Functions at file level: the house style puts their braces into the first column. */
const functionsOf = (source: string): { name: string; lines: number; body: string }[] =>
  [...source.matchAll(/^[A-Za-z][^;{}=]*?\b(\w+)\([^;{}]*\)\n\{\n([\s\S]*?)^\}/gm)].map(
    ([, name = '', body = '']) => ({
      name,
      body,
      lines: body.split('\n').length - 1,
    }),
  );

/** Where verdicts are made: an early way out of these decides, and has to say `open:` or `closed:`. */
const DECIDING = [
  { file: 'bpf/lib/5_consult.h', functions: ['kg_meet', 'kg_hit'] },
  { file: 'bpf/lib/7_judge.h', functions: ['kg_judge'] },
  { file: 'bpf/lib/8_gate.h', functions: ['kg_decide', 'kg_gate'] },
  { file: 'bpf/lib/9_guard.h', functions: ['kg_consult_least', 'kg_stand', 'kg_enforce', 'kg_guard'] },
  { file: 'bpf/hooks/shield/shield.bpf.c', functions: ['kg_is_shielded', 'kg_refuse'] },
];

/** Returns without a word on the side they fall, in the line, the comment above, or the line before. */
const unsaid = (source: string, names: readonly string[]): string[] =>
  names.flatMap((name) => {
    const body = functionsOf(source).find((candidate) => candidate.name === name)?.body;
    if (body === undefined) return [`${name}: no such function`];
    const lines = body.trimEnd().split('\n');
    return lines
      .map((line, at) => ({ line, near: lines.slice(Math.max(0, at - 2), at + 1).join('\n') }))
      .slice(0, -1)
      .filter(({ line, near }) => /^\s*return\b/.test(line) && !/\b(open|closed):/.test(near))
      .map(({ line }) => `${name}: ${line.trim()}`);
  });
