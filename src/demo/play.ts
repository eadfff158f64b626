/** The demonstration, scene by scene: each is done for real, and a result that differs ends it as a failure. */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../lib/paths.js';
import type { Decision } from '../model/decision.js';
import { KerngateError } from '../model/error.js';
import type { Finding } from '../model/finding.js';
import { runToEnd, Talker } from '../stage/children.js';
import type { Stage } from '../stage/stage.js';
import { Attacker } from './attacker.js';
import type { Screen } from './screen.js';
import { why } from './why.js';

const KERNGATE = join(PACKAGE_ROOT, 'bin/kerngate');
const LIMIT = 5;
const ATTEMPTS = 8;
const POLICY = `kerngate: 1
policy: demo-burst
summary: A process opens more than five connections within ten seconds.
attack: [T1046]
severity: high
on: connect
detect:
  burst: {limit: ${LIMIT}, within: 10s, by: process}
then:
  block: process
  for: 10m
`;

/** Plays all scenes. Throws KerngateError when kerngate did not do what is shown. */
export const play = async (stage: Stage, screen: Screen): Promise<void> => {
  await startAgent(stage, screen);
  const attacker = new Attacker(stage, await listen(stage));
  await attack(attacker, screen);
  const decision = await explain(stage, screen);
  await unblock(stage, screen, decision);
  await again(attacker, screen);
};

const startAgent = async (stage: Stage, screen: Screen): Promise<void> => {
  screen.scene('An agent of its own, in enforce mode, limited to a throwaway cgroup');
  writeFileSync(stage.policyFile, POLICY);
  screen.text(POLICY.split('\n').slice(1, -1));
  await stage.mountPins();
  const args = ['run', '--mode', 'enforce', '--release-on-exit'];
  screen.command(args);
  const agent = new Talker('the agent', KERNGATE, args, stage.env);
  stage.after('the agent', () => agent.end());
  screen.text([(await agent.line(/^ready /)).replace(/ socket=.*/, '')]);
};

/** A listener outside of the cgroup, on the loopback; answers its port. */
const listen = (stage: Stage): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.on('error', () => undefined).end());
    stage.after('the listener', () => server.close());
    server.on('error', reject).listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });

const attack = async (attacker: Attacker, screen: Screen): Promise<void> => {
  screen.scene(`An attacker inside: bash, pid ${attacker.pid}, connects ${ATTEMPTS} times in a loop`);
  const results = await attacker.connect(ATTEMPTS, (result, index) => screen.result(result, index));
  const refused = results.slice(LIMIT).every((result) => result.endsWith('Operation not permitted'));
  if (results.lastIndexOf('connected') !== LIMIT - 1 || !refused) {
    throw new KerngateError(`expected ${LIMIT} connects to pass and the rest to be refused`);
  }
  screen.say(`${LIMIT} passed. Call ${LIMIT + 1} was refused in the kernel, before a packet was sent.`);
};

const explain = async (stage: Stage, screen: Screen): Promise<Decision> => {
  screen.scene('What is blocked, and why');
  const finding = await firstFinding(stage);
  const [decision] = await ask<Decision[]>(stage, 'blocks');
  if (!decision) throw new KerngateError('the agent knows of no block');
  await shown(stage, screen, ['blocks']);
  screen.rows(why(decision, finding, Date.now()));
  return decision;
};

/** The finding with its evidence, which follows the crossing after some milliseconds. */
const firstFinding = async (stage: Stage): Promise<Finding> => {
  for (let attempt = 0; attempt < 40; attempt++) {
    const [finding] = await ask<Finding[]>(stage, 'findings');
    if (finding && finding.evidence.length > LIMIT) return finding;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new KerngateError('the agent has no finding with evidence');
};

const unblock = async (stage: Stage, screen: Screen, { id }: Decision): Promise<void> => {
  screen.scene('The operator takes it back');
  await shown(stage, screen, ['unblock', id]);
};

const again = async (attacker: Attacker, screen: Screen): Promise<void> => {
  screen.scene(`The same process, pid ${attacker.pid}, tries again`);
  const results = await attacker.connect(2, (result, index) => screen.result(result, index));
  if (results.some((result) => result !== 'connected')) throw new KerngateError('the block was not lifted');
};

const ask = async <T>(stage: Stage, what: string): Promise<T> =>
  JSON.parse(await kerngate(stage, ['-o', 'json', what])) as T;

const shown = async (stage: Stage, screen: Screen, args: readonly string[]): Promise<void> => {
  screen.command(args);
  screen.text((await kerngate(stage, args)).trimEnd().split('\n'));
};

const kerngate = async (stage: Stage, args: readonly string[]): Promise<string> => {
  const { code, output } = await runToEnd(KERNGATE, args, stage.env);
  if (code !== 0) throw new KerngateError(`kerngate ${args.join(' ')} ended with ${code}: ${output}`);
  return output;
};
