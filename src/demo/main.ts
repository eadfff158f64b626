/** `npm run demo`: shows a denial from attack to unblock, in a place of its own, and leaves nothing behind. */
import { requireRoot } from '../kernel/prerequisites.js';
import { EXIT, KerngateError } from '../model/error.js';
import { Interrupted, interruption } from '../stage/interruption.js';
import { Stage } from '../stage/stage.js';
import { play } from './play.js';
import { Screen } from './screen.js';

/** A scene cut short must not keep its place; so cleaning up comes first, whatever ended the play. */
const perform = async (screen: Screen): Promise<void> => {
  requireRoot();
  const interrupted = interruption();
  const stage = new Stage('demo');
  try {
    screen.plain(`kerngate demo. All of it happens in ${stage.cgroup}`);
    await Promise.race([play(stage, screen), interrupted]);
  } finally {
    screen.plain('\nCleaning up.');
    await stage.close();
  }
};

const report = (error: unknown): number => {
  if (error instanceof Interrupted) {
    process.stderr.write(`kerngate: interrupted (${error.message}); nothing was left behind\n`);
    return 130;
  }
  const text = error instanceof KerngateError ? error.text : ((error as Error).stack ?? String(error));
  process.stderr.write(`kerngate: the demonstration failed: ${text}\n`);
  return EXIT.failed;
};

/* Nobody may be reading any more; cleaning up matters more than printing. */
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);
const begun = process.hrtime.bigint();
const screen = new Screen(process.stdout, process.stdout.isTTY === true && !process.env.NO_COLOR);
try {
  await perform(screen);
  const seconds = Number(process.hrtime.bigint() - begun) / 1e9;
  screen.plain(
    `Done in ${seconds.toFixed(1)} s: agent stopped, programs detached, cgroup, pins and files removed.`,
  );
} catch (error) {
  process.exitCode = report(error);
}
process.exit();
