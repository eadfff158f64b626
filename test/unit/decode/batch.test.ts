/** A batch is read to its end, whatever is in it. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  encodeKgExecTail,
  KG_EVENT_WORDS,
  KG_EXEC_TAIL_SIZE,
  KG_LIMITS,
  KgEventRows,
  KINDS,
} from '../../../src/abi/generated.js';
import { BatchReader } from '../../../src/decode/batch.js';
import { parseExecTail } from '../../../src/decode/exec-tail.js';
import { LiveEvent } from '../../../src/decode/live-event.js';
import { depsOf, drained, KnownFacts, kindOf, record } from './rows.js';

const readerOf = (records: readonly Uint8Array[]) => {
  const source = drained(records);
  const enricher = new KnownFacts();
  const cursor = new LiveEvent(new KgEventRows(source.rows), depsOf(enricher));
  return { reader: new BatchReader(source, cursor, enricher), enricher };
};

const pidsSeen = (reader: BatchReader, count: number): number[] => {
  const pids: number[] = [];
  reader.read(count, (event) => pids.push(event.pid));
  return pids;
};

const tailOf = (path: string, args: string): Uint8Array => {
  const room = (text: string, size: number): Uint8Array => {
    const bytes = new Uint8Array(size);
    bytes.set(Buffer.from(text));
    return bytes;
  };
  const view = encodeKgExecTail({
    path_len: Buffer.byteLength(path),
    args_len: Buffer.byteLength(args),
    path: room(path, KG_LIMITS.PATH_MAX),
    args: room(args, KG_LIMITS.ARGS_MAX),
  });
  return new Uint8Array(view.buffer);
};

const exec = (tgid: number, tail: Uint8Array): Uint8Array =>
  Uint8Array.from([...record({ tgid, kind: kindOf('exec'), comm: 'nc', start_ns: 20_000_000n }), ...tail]);

it('skips and counts kinds it does not know', () => {
  const kinds = [1, 0, 999, 2, 65_535];
  const { reader } = readerOf(kinds.map((kind, i) => record({ kind, tgid: i })));
  expect(pidsSeen(reader, kinds.length)).toEqual([0, 3]);
  expect(reader.counters.events_unknown).toBe(3);
});

it('reads no further than it is told', () => {
  const { reader } = readerOf([record({ tgid: 1 }), record({ tgid: 2 })]);
  expect(pidsSeen(reader, 1)).toEqual([1]);
  expect(pidsSeen(reader, 0)).toEqual([]);
});

it('tells of process life before the event is handed on', () => {
  const { reader, enricher } = readerOf([
    record({
      kind: kindOf('fork'),
      tgid: 5,
      start_ns: 10_000_000n,
      comm: 'sh',
      child: 6,
      count: 20_000_000n,
    }),
    exec(6, tailOf('/bin/nc', 'nc\0-z\0host\0')),
    record({ kind: kindOf('exit'), tgid: 6, start_ns: 20_000_000n }),
  ]);
  const seen: string[] = [];
  reader.read(3, (event) => seen.push(`${enricher.heard.length} ${event.kind} ${event.exe}`));
  expect(seen).toEqual(['1 fork ', '2 exec /bin/nc', '3 exit /bin/nc']);
  expect(enricher.heard).toEqual(['fork 5@1 sh 6@2', 'exec 6@2 nc /bin/nc ["nc","-z","host"]', 'exit 6@2']);
});

it('gives each exec its own tail', () => {
  const { reader, enricher } = readerOf([
    exec(1, tailOf('/bin/a', 'a\0')),
    record({ tgid: 9 }),
    exec(2, tailOf('/bin/b', 'b\0')),
  ]);
  expect(pidsSeen(reader, 3)).toEqual([1, 9, 2]);
  expect(enricher.heard).toEqual(['exec 1@2 nc /bin/a ["a"]', 'exec 2@2 nc /bin/b ["b"]']);
});

it('counts tails that make no sense and goes on', () => {
  const long = tailOf('/bin/a', '');
  new DataView(long.buffer).setUint16(0, KG_LIMITS.PATH_MAX + 1, true);
  const { reader, enricher } = readerOf([
    exec(1, new Uint8Array(0)),
    exec(2, tailOf('/bin/a', '').subarray(0, KG_EXEC_TAIL_SIZE - 1)),
    exec(3, long),
  ]);
  expect(pidsSeen(reader, 3)).toEqual([1, 2, 3]);
  expect(reader.counters.exec_tail_bad).toBe(3);
  expect(enricher.heard).toEqual(['exec 1@2 nc  []', 'exec 2@2 nc  []', 'exec 3@2 nc  []']);
});

it('does not take a path that was cut for the name of a file', () => {
  const longest = `/${'a'.repeat(KG_LIMITS.PATH_MAX - 3)}`;
  expect(parseExecTail(tailOf(longest, ''))?.path).toBe(longest);
  expect(parseExecTail(tailOf(`${longest}a`, ''))?.path).toBe('');
});

it('goes on after an event that could not be handled', () => {
  const { reader } = readerOf([1, 2, 3].map((tgid) => record({ tgid })));
  const pids: number[] = [];
  reader.read(3, ({ pid }) => {
    if (pid === 2) throw new Error('bad');
    pids.push(pid);
  });
  expect(pids).toEqual([1, 3]);
  expect(reader.counters.events_failed).toBe(1);
  expect(reader.lastError).toEqual(new Error('bad'));
});

it('throws for no bytes at all', () => {
  const bytes = fc.uint8Array({ minLength: KG_EVENT_WORDS * 4, maxLength: KG_EVENT_WORDS * 4 + 500 });
  fc.assert(
    fc.property(
      fc.array(bytes, { maxLength: 4 }),
      fc.constantFrom(...Object.keys(KINDS).map(Number)),
      (raw, kind) => {
        // Half of them get a kind that is known, or hardly any would get past the first check.
        for (const [i, item] of raw.entries()) {
          if (i % 2) new DataView(item.buffer).setUint16(96, kind, true);
        }
        const { reader } = readerOf(raw);
        reader.read(raw.length, (event) => JSON.stringify(event.snapshot()));
        expect(reader.lastError).toBeUndefined();
      },
    ),
  );
});
