/** What the agent saw live, recorded and replayed: the same findings, the same hits, the same bytes twice. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Decision } from '../../src/model/decision.js';
import type { Event } from '../../src/model/event.js';
import type { Finding } from '../../src/model/finding.js';
import { Player } from './player.js';
import { linesOf, record, replay, textOf } from './recording.js';
import { burst, until, withStand } from './stand.js';

const POLICIES = [
  burst(),
  // Not the canary's, which belongs to the same tree and is in no capture.
  burst({ name: 'tree', limit: 7, by: 'lineage', extra: 'match: {dst.port: 1-3}\n' }),
  burst({ name: 'wide', limit: 3, by: 'process', block: 'cgroup' }),
  burst({ name: 'group', limit: 16, by: 'cgroup' }),
  `kerngate: 1
policy: ports
severity: low
on: connect
detect: {burst: {limit: 1, within: 10s, by: process, distinct: dst.port}}
then: {alert: true}
`,
  `kerngate: 1
policy: refused
severity: low
on: connect.fail
match: {result: ECONNREFUSED}
detect: {burst: {limit: 4, within: 10s, by: lineage}}
then: {alert: true}
`,
  `kerngate: 1
policy: children
severity: low
on: fork
detect: {burst: {limit: 2, within: 10s, by: process}}
then: {alert: true}
`,
].join('---\n');

const told = ({ id, policy, subject, summary, severity }: Finding) => ({
  id,
  policy,
  subject,
  summary,
  severity,
});
const byId = <T extends { readonly id: string }>(list: readonly T[]): T[] =>
  [...list].sort((a, b) => (a.id < b.id ? -1 : 1));

describe('a capture of the agent in audit', () => {
  it('replays to the findings and hits it had live, and twice to the same bytes', () =>
    withStand(async (stand) => {
      await stand.start({ mode: 'audit', policy: POLICIES });
      const file = join(stand.dir, 'capture.jsonl.gz');
      const recorder = await record(stand, file);
      const players = [await Player.start(stand), await Player.start(stand)];
      for (const player of players) {
        await player.row(9, 'connect 127.0.0.1 1');
        await player.row(3, 'child connect 127.0.0.1 2');
        await player.row(2, 'connect 127.0.0.1 3');
        // The agent's own half of the decision takes its time; a replay has none to wait for.
        await until('the block was widened', async () =>
          (await stand.json<Decision[]>('blocks')).some(({ subject }) => subject.kind === 'cgroup'),
        );
      }
      await stand.attack('threads', 10, 8);
      const findings = await stand.json<Finding[]>('findings');
      const blocks = await stand.json<Decision[]>('blocks');
      await recorder.kill('SIGINT');
      expect([recorder.child.exitCode, recorder.lines]).toEqual([0, [expect.stringMatching(/ 0 lost$/)]]);
      expect(statSync(file).mode & 0o777).toBe(0o600);

      const [header, ...events] = linesOf<Event & Record<string, unknown>>(textOf(file));
      const end = events.pop();
      expect(header).toMatchObject({
        kerngate_capture: 1,
        host: expect.any(String),
        kernel: expect.any(String),
      });
      expect(end).toEqual({ kerngate_end: true, events: events.length, lost: 0 });
      const times = events.map(({ boot_ns }) => BigInt(boot_ns));
      expect(times.every((time, at) => at === 0 || time >= (times[at - 1] ?? 0n))).toBe(true);

      const lines = await replay(stand, file, '--mode', 'audit');
      const found = lines.filter((line): line is Finding & { type: string } => line.type === 'finding');
      expect(byId(found.map(told))).toEqual(byId(findings.map(told)));
      expect(new Set(found.map(({ policy }) => policy)).size).toBe(7);
      const decided = lines.filter((line): line is Decision & { type: string } => line.type === 'decision');
      const hitsOf = (list: readonly Decision[]) =>
        list
          .filter(({ subject, policy }) => subject.kind === 'process' && policy === 'burst')
          .map(({ subject, hits, mode }) => `${subject.id} ${hits} ${mode}`)
          .sort();
      expect(hitsOf(decided)).toEqual(expect.arrayContaining(hitsOf(blocks)));
      expect(hitsOf(blocks).length).toBeGreaterThan(1);
      expect(await replay(stand, file, '--mode', 'audit')).toEqual(lines);
    }));
});

describe('a capture of real work', () => {
  it('replays twice to the same bytes: git, node and curl on the loopback', () =>
    withStand(async (stand) => {
      await stand.start({ mode: 'audit', policy: POLICIES });
      const file = join(stand.dir, 'work.jsonl');
      const recorder = await record(stand, file);
      mkdirSync(join(stand.dir, 'repository'));
      writeFileSync(join(stand.dir, 'work.sh'), WORK, { mode: 0o700 });
      execFileSync('bash', [join(stand.dir, 'work.sh'), stand.cgroup, stand.dir, process.execPath], {
        stdio: 'pipe',
      });
      await recorder.kill('SIGTERM');
      expect([recorder.child.exitCode, recorder.lines]).toEqual([0, [expect.stringMatching(/ 0 lost$/)]]);
      const comms = new Set(linesOf<Event>(textOf(file)).map(({ comm }) => comm));
      expect([...comms]).toEqual(expect.arrayContaining(['git', 'node', 'curl']));
      const runs = [
        await stand.cli('-o', 'json', 'replay', file),
        await stand.cli('-o', 'json', 'replay', file),
      ];
      expect(runs[0]).toMatchObject({ code: 0, stderr: '' });
      expect(runs[1]).toEqual(runs[0]);
    }));
});

/** A repository served over HTTP and cloned, and some requests, all below the cgroup of the stand. */
const WORK = `set -euo pipefail
echo $$ > "$1/cgroup.procs"
cd "$2/repository"
export HOME="$2" GIT_CONFIG_NOSYSTEM=1
git init -q --initial-branch=main origin
cd origin
git -c user.name=a -c user.email=a@b.invalid commit -q --allow-empty -m first
git update-server-info
cd ..
coproc SERVER { exec "$3" -e '
  const { createServer } = require("node:http");
  const { readFileSync } = require("node:fs");
  createServer((request, response) => {
    try { response.end(readFileSync("origin/.git" + request.url.split("?")[0])); }
    catch { response.writeHead(404).end(); }
  }).listen(0, "127.0.0.1", function () { console.log(this.address().port); });
'; }
read -r port <&"\${SERVER[0]}"
git clone -q "http://127.0.0.1:$port/" copy
for i in 1 2 3 4 5 6 7 8; do curl -s -o /dev/null "http://127.0.0.1:$port/HEAD"; done
"$3" -e "for (let i = 0; i < 9; i++) fetch('http://127.0.0.1:$port/HEAD')"
kill "$SERVER_PID"
`;
