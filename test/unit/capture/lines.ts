/** Captures as text, for tests: a header, events, an end; and what reading them gives. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { readCapture } from '../../../src/capture/read.js';
import { KerngateError } from '../../../src/model/error.js';
import type { CapturedEvent } from '../../../src/model/json-event.js';

export const HEADER = {
  kerngate_capture: 1,
  host: 'h',
  boot_id: 'b',
  started: '2026-01-01T00:00:00.000Z',
  kernel: '6.18.0',
} as const;

/** A TCP connect of pid 4242 at `seconds` after boot, but for what is given. */
export const eventAt = (seconds: number, given: Partial<CapturedEvent> = {}): CapturedEvent => ({
  v: 1,
  at: new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString(),
  boot_ns: String(Math.round(seconds * 1e9)),
  kind: 'connect',
  pid: 4242,
  start: '50000000000',
  ppid: 900,
  session: 3,
  uid: 1000,
  user: 'alice',
  comm: 'probe',
  exe: '/usr/bin/probe',
  cgroup: { id: '77', path: '/system.slice/probe.service' },
  unit: 'probe.service',
  proto: 'tcp',
  dst: { ip: '192.0.2.1', port: 443 },
  verdict: 'none',
  lost: 0,
  ...given,
});

/** The text of a capture; `end` false leaves the last line out. */
export const captureText = (events: readonly unknown[], { end = true, lost = 0 } = {}): string => {
  const last = end ? [{ kerngate_end: true, events: events.length, lost }] : [];
  return [HEADER, ...events, ...last].map((line) => `${JSON.stringify(line)}\n`).join('');
};

/** A file that goes away with the test. */
export const fileOf = (content: string | Buffer, name = 'capture.jsonl'): string => {
  const folder = mkdtempSync(join(tmpdir(), 'kg-capture-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
};

/** The events read from a file, or the failure as `exit message`, with the folder cut off. */
export const readAll = async (
  file: string,
  isPartial = false,
): Promise<{ events: CapturedEvent[]; error?: string; remedy?: string | undefined }> => {
  const events: CapturedEvent[] = [];
  try {
    await readCapture(file, isPartial, {
      header: () => {},
      event: (event) => events.push(event.whole()),
    });
    return { events };
  } catch (error) {
    if (!(error instanceof KerngateError)) throw error;
    const { exitCode, message, remedy } = error;
    return { events, error: `${exitCode} ${message.replace(/\/\S*\//, '')}`, remedy };
  }
};
