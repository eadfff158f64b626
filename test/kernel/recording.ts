/** What the tests of captures share: a running recorder, the file's lines, and what a replay makes of them. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect } from 'vitest';
import type { Decision } from '../../src/model/decision.js';
import type { Finding } from '../../src/model/finding.js';
import { countersOf } from './acting.js';
import { type Running, type Stand, until } from './stand.js';

/** Starts to record and waits until the agent hands its events over. */
export const record = async (stand: Stand, file: string, ...args: string[]): Promise<Running> => {
  const recorder = stand.spawn(process.execPath, [stand.main, 'record', ...args, file]);
  await until('the agent is recorded', async () => (await countersOf(stand)).control_followers === 1);
  return recorder;
};

export const ended = async (recorder: Running): Promise<number | null> => {
  await until('the recorder has ended', () => recorder.isOver);
  return recorder.child.exitCode;
};

export const linesOf = <T>(text: string): T[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T);

export const textOf = (file: string): string => {
  const bytes = readFileSync(file);
  return (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
};

export type Line = (Finding | Decision) & { readonly type: string };

export const replay = async (stand: Stand, file: string, ...args: string[]): Promise<Line[]> => {
  const ran = await stand.cli('-o', 'json', 'replay', file, '--policy', stand.policyFile, ...args);
  expect(ran).toMatchObject({ code: 0, stderr: '' });
  return linesOf<Line>(ran.stdout);
};
