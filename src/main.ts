/** The program: parses the command line, runs one command, sets the exit code. */
import { buildProgram, describeFailure } from './cli/program.js';
import { COMMANDS } from './cli/registry.js';
import { sanitizeLines } from './lib/sanitize.js';
import { packageVersion } from './lib/version.js';

/** `kerngate … | head` ends when head does: nobody is left to read an error. */
const exitOnClosedPipe = (error: NodeJS.ErrnoException): void => {
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
  throw error;
};

const main = async (argv: readonly string[]): Promise<void> => {
  process.stdout.on('error', exitOnClosedPipe);
  process.stderr.on('error', exitOnClosedPipe);
  try {
    await buildProgram(COMMANDS, packageVersion()).parseAsync(argv);
  } catch (error) {
    const { text, exit } = describeFailure(error);
    process.stderr.write(sanitizeLines(text));
    process.exitCode = exit;
  }
};

await main(process.argv);
