/** The program: parses the command line, runs one command, sets the exit code. */
import { buildProgram, describeFailure } from './cli/program.js';
import { COMMANDS } from './cli/registry.js';
import { sanitizeLines } from './lib/sanitize.js';
import { packageVersion } from './lib/version.js';

/** `kerngate … | head` ends when head does: nobody is left to read an error. A full disk has somebody. */
const exitOnLostOutput = (error: NodeJS.ErrnoException): void => {
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
  error.message = `the output cannot be written: ${error.message}`;
  const { text, exit } = describeFailure(error);
  process.stderr.write(text);
  process.exit(exit);
};

/** Nobody hears of it; the exit code still tells how the command went. */
const exitUnheard = (): void => process.exit(process.exitCode ?? 0);

const main = async (argv: readonly string[]): Promise<void> => {
  process.stdout.on('error', exitOnLostOutput);
  process.stderr.on('error', exitUnheard);
  try {
    await buildProgram(COMMANDS, packageVersion()).parseAsync(argv);
  } catch (error) {
    const { text, exit } = describeFailure(error);
    process.stderr.write(sanitizeLines(text));
    process.exitCode = exit;
  }
};

await main(process.argv);
