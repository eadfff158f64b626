/** Builds the commander program from the table of commands, and turns failures into exit codes. */
import {
  Argument,
  Command as CommanderCommand,
  CommanderError,
  InvalidArgumentError,
  Option,
} from 'commander';
import { type PathFlags, resolvePaths } from '../lib/paths.js';
import { sanitizeLines } from '../lib/sanitize.js';
import { EXIT, type ExitCode, KerngateError } from '../model/error.js';
import type { ArgumentSpec, Command, OptionSpec } from './command.js';
import { createOutput, FORMATS, type Format, wantsColor } from './output.js';

interface GlobalOptions {
  readonly output: Format;
  readonly color: boolean;
  readonly socket?: string;
  readonly pin?: string;
  readonly state?: string;
}

const guarded =
  (parse: (text: string) => unknown) =>
  (text: string): unknown => {
    try {
      return parse(text);
    } catch (error) {
      if (error instanceof KerngateError) throw new InvalidArgumentError(error.message);
      throw error;
    }
  };

const toOption = (spec: OptionSpec): Option => {
  const option = new Option(spec.flags, spec.help);
  const parse = guarded(spec.parse ?? ((text) => text));
  if (spec.choices) option.choices(spec.choices);
  else if (spec.repeat) {
    option.argParser((text, previous: unknown) => [
      ...(Array.isArray(previous) ? previous : []),
      parse(text),
    ]);
  } else if (spec.parse) option.argParser(parse);
  if (spec.default !== undefined) option.default(spec.default, spec.shownDefault);
  return option;
};

const toArgument = (spec: ArgumentSpec): Argument => {
  const argument = new Argument(spec.name, spec.help);
  return spec.choices ? argument.choices(spec.choices) : argument;
};

const flagsOf = ({ socket, pin, state }: GlobalOptions): PathFlags => ({ socket, pin, state });

/** Runs a command; a usage error found only then reads like one found while parsing. */
const runCommand = async (commander: CommanderCommand, command: Command): Promise<void> => {
  const globals = commander.optsWithGlobals<GlobalOptions>();
  const color = wantsColor(globals.color, process.env, process.stdout.isTTY === true);
  const flags = flagsOf(globals);
  try {
    process.exitCode = await command.run?.({
      args: commander.args,
      options: commander.opts(),
      flags,
      paths: resolvePaths(flags),
      out: createOutput(globals.output, color, process.stdout, process.stderr),
    });
  } catch (error) {
    if (error instanceof KerngateError && error.exitCode === EXIT.usage) {
      commander.error(`error: ${error.text}`, { exitCode: EXIT.usage });
    }
    throw error;
  }
};

const addCommand = (parent: CommanderCommand, command: Command): void => {
  const child = parent.command(command.name).summary(command.summary).description(command.summary);
  for (const spec of command.arguments ?? []) child.addArgument(toArgument(spec));
  for (const spec of command.options ?? []) child.addOption(toOption(spec));
  for (const sub of command.subcommands ?? []) addCommand(child, sub);
  const lines = command.example.split('\n').map((line) => `  $ ${line}`);
  child.addHelpText('after', `\nExample:\n${lines.join('\n')}`);
  const path = parent.parent ? `kerngate ${parent.name()} ${command.name}` : `kerngate ${command.name}`;
  child.showHelpAfterError(`Usage: ${path} ${child.usage()}\nMore: ${path} --help`);
  if (command.run) child.action(() => runCommand(child, command));
};

const addGlobals = (program: CommanderCommand, version: string): void => {
  program
    .addOption(new Option('-o, --output <format>', 'how to print').choices(FORMATS).default('table'))
    .option('--socket <path>', 'control socket of the agent')
    .option('--pin <dir>', 'folder of pinned maps, for what works without the agent')
    .option('--state <dir>', 'state folder, for what works without the agent')
    .option('--no-color', 'no colours, as with NO_COLOR in the environment')
    .version(version, '--version', 'print the version');
};

/** The whole command line; parsing throws CommanderError or KerngateError, and never exits. */
export const buildProgram = (commands: readonly Command[], version: string): CommanderCommand => {
  const program = new CommanderCommand('kerngate')
    .description('Active-enforcement host firewall agent: the kernel refuses the offender.')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      outputError: (text, write) => write(sanitizeLines(text.replace(/^error: /, 'kerngate: '))),
    })
    .showHelpAfterError('Usage: kerngate COMMAND [options]\nMore: kerngate --help')
    .addHelpText('after', '\nExample:\n  $ kerngate status');
  addGlobals(program, version);
  for (const command of commands) addCommand(program, command);
  return program;
};

const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string';

/** Text for people and the exit code of whatever a command threw. A stack only for what nobody expected. */
export const describeFailure = (error: unknown): { text: string; exit: ExitCode } => {
  if (error instanceof CommanderError) {
    return { text: '', exit: error.exitCode === 0 ? EXIT.ok : EXIT.usage }; // Commander has already spoken.
  }
  if (error instanceof KerngateError) return { text: `kerngate: ${error.text}\n`, exit: error.exitCode };
  if (isSystemError(error)) return { text: `kerngate: ${error.message}\n`, exit: EXIT.failed };
  const stack = error instanceof Error ? error.stack : String(error);
  return { text: `kerngate: this should not have happened, please report it: ${stack}\n`, exit: EXIT.failed };
};
