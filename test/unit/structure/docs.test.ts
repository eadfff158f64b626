/** The documents name what there is, all of it, and nothing else. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KG_COUNTER } from '../../../src/abi/generated.js';
import { jsonSchema } from '../../../src/agent/config.js';
import { COMMANDS } from '../../../src/cli/registry.js';
import { EXIT } from '../../../src/model/error.js';
import { filesBelow, foldersIn, ROOT, read } from './tree.js';

const OPERATIONS = read('docs/operations.md');
const MARKDOWN = [
  ...['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md'],
  ...filesBelow('docs', /\.md$/),
  ...filesBelow('src', /\.md$/),
  ...filesBelow('bench', /\.md$/),
];

/** First cells of the rows of the table below a heading, without backticks. */
const rowsBelow = (text: string, heading: string): string[] => {
  const [, part = ''] = text.split(new RegExp(`^#+ ${heading}$`, 'm'));
  const section = part.split(/^#+ /m)[0] ?? '';
  return [...section.matchAll(/^\| `([^`]+)`/gm)].map(([, cell = '']) => cell);
};

interface Shape {
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly items?: Shape;
}

/** Every key of the configuration, by its way: `limits.windows`, `allow.subject`. */
const keysOf = (shape: Shape, way = ''): string[] =>
  Object.entries(shape.properties ?? shape.items?.properties ?? {}).flatMap(([name, inner]) => [
    `${way}${name}`,
    ...keysOf(inner, `${way}${name}.`),
  ]);

const sorted = (names: Iterable<string>): string[] => [...names].sort();

describe('docs/operations.md', () => {
  it('has every command', () => {
    const names = COMMANDS.flatMap(({ name, subcommands }) =>
      subcommands === undefined ? [name] : subcommands.map((sub) => `${name} ${sub.name}`),
    );
    expect(sorted(rowsBelow(OPERATIONS, 'Commands'))).toEqual(sorted(names));
  });

  it('has every counter of the kernel', () => {
    const names = Object.keys(KG_COUNTER).filter((name) => name !== 'COUNT');
    expect(rowsBelow(OPERATIONS, 'Kernel')).toEqual(names.map((name) => name.toLowerCase()));
  });

  it('says of every counter what it counts and what to do', () => {
    const table = OPERATIONS.split('## Counters')[1]?.split(/^## /m)[0];
    const rows = table?.match(/^\| `.*$/gm) ?? [];
    expect(rows.length).toBeGreaterThan(50);
    expect(rows.filter((row) => !/^\| `[a-z_]+` \| [^|]{8,} \| [^|]{8,} \|$/.test(row))).toEqual([]);
  });

  it('has every key of the configuration', () => {
    const keys = keysOf(jsonSchema() as Shape);
    const leaves = keys.filter((key) => !keys.some((other) => other.startsWith(`${key}.`)));
    expect(sorted(rowsBelow(OPERATIONS, 'Configuration'))).toEqual(sorted([...leaves, 'allow']));
  });

  it('has every exit code', () => {
    const rows = [...OPERATIONS.matchAll(/^\| `(\d)` \| (\w+) \|/gm)].map(([, code, name]) => [
      name,
      Number(code),
    ]);
    expect(Object.fromEntries(rows)).toEqual(EXIT);
  });

  it('has every path that can be moved', () => {
    const moved = sorted(new Set(read('src/lib/paths.ts').match(/KERNGATE_[A-Z_]+/g)));
    const written = sorted(new Set(OPERATIONS.match(/KERNGATE_[A-Z_]+/g)));
    // The nft table has no user in this version.
    expect(written).toEqual(moved.filter((name) => name !== 'KERNGATE_NFT_TABLE'));
  });
});

describe('ARCHITECTURE.md', () => {
  const text = read('ARCHITECTURE.md');

  it('has every hook', () => {
    expect(sorted(rowsBelow(text, 'Hooks'))).toEqual(foldersIn('bpf/hooks'));
  });

  it('has every map', () => {
    const declared = read('bpf/lib/1_maps.h');
    const maps = [...declared.matchAll(/^(?:KG_MAP\(.*, |\} )(kg_\w+)(?:\);| SEC)/gm)].map(
      ([, name = '']) => name,
    );
    expect(maps.length).toBeGreaterThan(20);
    // A constant, and no state.
    expect(maps.filter((name) => name !== 'kg_empty' && !text.includes(`\`${name}\``))).toEqual([]);
    const named = new Set([...text.matchAll(/`(kg_[a-z]+)`/g)].map(([, name = '']) => name));
    expect([...named].filter((name) => !maps.includes(name))).toEqual([]);
  });

  it('names counters that exist', () => {
    const table = text.split('## On which side a failure falls')[1] ?? '';
    const named = [...table.matchAll(/^\|.*$/gm)].flatMap(
      ([row]) => row.split('|').at(-2)?.match(/`\w+`/g) ?? [],
    );
    expect(named.length).toBeGreaterThan(8);
    expect(named.filter((name) => !OPERATIONS.includes(`| ${name} |`))).toEqual([]);
  });

  it('has every stage', () => {
    const folders = rowsOfStages(text);
    expect(folders.filter((folder) => !existsSync(join(ROOT, folder)))).toEqual([]);
    for (const stage of ['decode', 'enrich', 'detect', 'decide', 'enforce', 'report']) {
      expect(folders).toContain(`src/${stage}/`);
    }
  });
});

const rowsOfStages = (text: string): string[] =>
  [...text.matchAll(/^\| \w+ \| (`[^|]+) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([^`]+\/)`/g)].map(([, folder = '']) => folder),
  );

describe('detectors', () => {
  const folders = foldersIn('src/detect');

  it('are explained where they are, and in the policy reference', () => {
    const reference = read('docs/policy-reference.md');
    expect(folders.filter((name) => !existsSync(join(ROOT, `src/detect/${name}/README.md`)))).toEqual([]);
    // `rule` is what a policy without a detector does; its name is not part of the language.
    const named = folders.filter((name) => name !== 'rule');
    expect(named.filter((name) => !new RegExp(`^\`${name}\` `, 'm').test(reference))).toEqual([]);
    expect(reference).toContain('Without `detect` the policy fires on each match.');
  });
});

describe('every document', () => {
  it.each(MARKDOWN)('%s links to files that are there', (file) => {
    const links = [...read(file).matchAll(/\]\(([^)#]+)[^)]*\)/g)]
      .map(([, link = '']) => link)
      .filter((link) => !/^https?:/.test(link));
    expect(links.filter((link) => !existsSync(join(ROOT, dirname(file), link)))).toEqual([]);
  });

  it.each(MARKDOWN)('%s names files of this tree that are there', (file) => {
    const named = [
      ...read(file).matchAll(/`((?:src|bench|bpf|native|test|scripts|policies|docs)\/[\w./-]+)`/g),
    ]
      .map(([, path = '']) => path)
      .filter((path) => !/NAME|NNNN|uptime/.test(path));
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it('keeps to its length', () => {
    const lines = (file: string): number => read(file).split('\n').length;
    expect(lines('README.md')).toBeLessThanOrEqual(200);
    expect(lines('ARCHITECTURE.md')).toBeLessThanOrEqual(130);
    for (const file of filesBelow('docs', /^add-a-.*\.md$/))
      expect([file, lines(file) <= 70]).toEqual([file, true]);
  });

  it('shows commands that exist', () => {
    const names = COMMANDS.map(({ name }) => name);
    const shown = MARKDOWN.flatMap((file) =>
      [...read(file).matchAll(/(?:`|\$ )(?:bin\/)?kerngate ([a-z]+)\b/gm)].map(
        ([, name = '']) => `${file}: ${name}`,
      ),
    );
    expect(shown.length).toBeGreaterThan(20);
    expect(
      shown.filter((row) => !names.includes(row.split(': ')[1] ?? '') && !row.endsWith(': uptime')),
    ).toEqual([]);
  });
});
