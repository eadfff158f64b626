/** The shortest journal that replays to a given state: what a rewrite leaves behind. */
import type { JournalRecord, RecordBody, Row, Stamp, Table } from './record.js';
import type { LedgerState } from './state.js';

/** Rows a record holds: a damaged line costs no more than these. */
const CHUNK = 512;

export function* snapshot(state: LedgerState, stamp: Stamp): Generator<JournalRecord> {
  for (const body of bodies(state)) yield { ...stamp, ...body };
}

function* bodies(state: LedgerState): Generator<RecordBody> {
  yield { kind: 'boot' };
  for (const { entry, untilNs } of state.allow.values())
    yield Number.isFinite(untilNs) ? { kind: 'allow', entry, until_ns: untilNs } : { kind: 'allow', entry };
  for (const { entry, strike } of state.live.values()) yield { kind: 'block', entry, strike };
  yield* chunks('strikes', state.strikes.rows());
  yield* chunks('ended', ended(state));
  yield* chunks('lifted-ids', state.tombstones.ids.entries());
  yield* chunks('lifted-subjects', state.tombstones.subjects.entries());
  yield* chunks('lifted-policies', state.tombstones.policies.entries());
  const latch = {
    kind: 'latch',
    panicked: state.panicked,
    demoted_ns: state.demotedNs,
    lifted_ns: state.tombstones.allNs,
  } as const;
  const { mode, tripped } = state;
  yield { ...latch, ...(mode && { mode }), ...(tripped && { tripped }) };
}

function* ended(state: LedgerState): Generator<Row> {
  for (const [id, { policy, key }] of state.ended.entries()) yield [id, policy, key];
}

function* chunks(table: Table, rows: Iterable<Row>): Generator<RecordBody> {
  let chunk: Row[] = [];
  for (const row of rows) {
    chunk.push(row);
    if (chunk.length < CHUNK) continue;
    yield { kind: 'memory', table, rows: chunk };
    chunk = [];
  }
  if (chunk.length > 0) yield { kind: 'memory', table, rows: chunk };
}
