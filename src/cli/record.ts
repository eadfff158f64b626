/** `kerngate record`: the agent's events into a file that can be replayed. */

import { hostname, release } from 'node:os';
import type { Recorder } from '../capture/recorder.js';
import type { Status } from '../control/api.js';
import { callAgent, followLines } from '../control/client.js';
import { counted } from '../lib/counted.js';
import { formatDuration } from '../lib/duration.js';
import { bootId } from '../lib/proc.js';
import { EXIT, KerngateError } from '../model/error.js';
import type { Command } from './command.js';
import { parseDuration } from './parse.js';

interface RecordOptions {
  readonly for?: number;
}

/** A recorder that is killed loses no more than this. */
const CHECKPOINT_MS = 1000;
/** What is on its way when the capture ends still belongs to it. */
const LINGER_MS = 50;
const STREAM = '/v1/events/follow?capture=true';

/** Events the agent's rings lost since it started. */
const ringsLost = ({ counters }: Status): number => (counters.ev_dropped ?? 0) + (counters.vd_dropped ?? 0);

const statusOf = (socket: string): Promise<Status> => callAgent<Status>(socket, 'GET', '/v1/status');

/** Aborts after `forNs`, or when the user interrupts: both are the normal end. */
const stopAfter = (forNs: number | undefined): { stop: AbortController; clear: () => void } => {
  const stop = new AbortController();
  const end = () => void setTimeout(() => stop.abort(), LINGER_MS);
  process.once('SIGINT', end).once('SIGTERM', end).once('SIGHUP', end);
  const clear = forNs === undefined ? () => {} : longTimer(end, forNs / 1e6);
  return { stop, clear };
};

/** A timer of Node ends after 24 days. */
const longTimer = (end: () => void, ms: number): (() => void) => {
  const until = performance.now() + ms;
  let timer: NodeJS.Timeout;
  const wait = () => {
    const left = until - performance.now();
    timer = setTimeout(left > 1e9 ? wait : end, Math.min(left, 1e9));
  };
  wait();
  return () => clearTimeout(timer);
};

/** Throws what ended the capture before its time; what was written until then is on the disk. */
const follow = async (socket: string, recorder: Recorder, forNs: number | undefined): Promise<void> => {
  const { stop, clear } = stopAfter(forNs);
  let failure: unknown;
  const timer = setInterval(() => {
    try {
      recorder.checkpoint();
    } catch (error) {
      failure = error;
      stop.abort();
    }
  }, CHECKPOINT_MS);
  try {
    await followLines(socket, STREAM, (line) => recorder.line(line), stop.signal);
  } catch (error) {
    failure = error;
  }
  clearInterval(timer);
  clear();
  if (failure === undefined) return;
  await recorder.finish(false).catch(() => {});
  throw failure;
};

export const recordCommand: Command<RecordOptions> = {
  name: 'record',
  summary: 'Write the events of the running agent into a capture, until interrupted.',
  example:
    'kerngate record --for 10m incident.jsonl.gz\nkerngate replay incident.jsonl.gz --policy my-policy.yaml',
  arguments: [{ name: '<file>', help: 'a new file; compressed when its name ends in .gz' }],
  options: [{ flags: '--for <duration>', help: 'end after this long, e.g. 1h', parse: parseDuration }],
  run: async ({ args, options, paths, out }) => {
    const file = args[0] ?? '';
    // Replay reads the standard input by this name; here it would become a file called so.
    if (file === '-' || file === '')
      throw new KerngateError('a capture needs a file with a name', { exit: 'usage' });
    const before = await statusOf(paths.socket);
    const { CaptureFile } = await import('../capture/write.js');
    const { Recorder } = await import('../capture/recorder.js');
    const capture = new CaptureFile(file, {
      kerngate_capture: 1,
      host: hostname(),
      boot_id: bootId(),
      started: new Date().toISOString(),
      kernel: release(),
      level: before.level,
    });
    const recorder = new Recorder(capture, ringsLost(before));
    const begun = performance.now();
    await follow(paths.socket, recorder, options.for);
    const after = await statusOf(paths.socket).catch(() => before);
    recorder.ringsLost(ringsLost(after));
    await recorder.finish(true);
    const { events } = capture;
    const took = formatDuration((performance.now() - begun) * 1e6);
    out.say(`${file}: ${counted(events, 'event')} in ${took}, ${recorder.lost} lost`, {
      file,
      events,
      lost: recorder.lost,
    });
    return EXIT.ok;
  },
};
