/** The form of a command: what each file of this folder exports, and what its `run` receives. */
import type { PathFlags, Paths } from '../lib/paths.js';
import type { ExitCode } from '../model/error.js';
import type { Output } from './output.js';

export interface ArgumentSpec {
  /** `<name>` required, `[name]` optional, `<name...>` any number. */
  readonly name: string;
  readonly help: string;
  readonly choices?: readonly string[];
}

export interface OptionSpec {
  /** `--long`, `--long <value>`, `-s, --long <value>`; the option's name in `run` is its camelCase. */
  readonly flags: string;
  readonly help: string;
  readonly choices?: readonly string[];
  /** Text to value; throws KerngateError, which becomes a usage error. */
  readonly parse?: (text: string) => unknown;
  /** The option may be given several times; its value is then an array, and undefined when not given. */
  readonly repeat?: boolean;
  /** What `run` receives when the option is not given. */
  readonly default?: unknown;
  /** How help shows the default, when its value is not what a person would write. */
  readonly shownDefault?: string;
}

/** What a command's `run` receives. */
export interface Call<Options> {
  /** Positional arguments in order; an optional one that was not given is missing. */
  readonly args: readonly string[];
  readonly options: Options;
  /** The global path flags; a command with path options of its own resolves again with them. */
  readonly flags: PathFlags;
  readonly paths: Paths;
  readonly out: Output;
}

export interface Command<Options = unknown> {
  readonly name: string;
  /** One line, a sentence with a full stop. */
  readonly summary: string;
  /** One or more command lines, without a prompt. */
  readonly example: string;
  readonly arguments?: readonly ArgumentSpec[];
  readonly options?: readonly OptionSpec[];
  readonly subcommands?: readonly Command[];
  /**
   * Answers the exit code (nothing: 0) or throws KerngateError. Absent only in a group of subcommands.
   * What is heavy to load is imported inside, so that other commands start fast.
   */
  run?(call: Call<Options>): Promise<ExitCode | undefined>;
}
