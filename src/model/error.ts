/** The errors kerngate reports to people: a message that names place and remedy, and an exit code. */

export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  unreachable: 4,
  invalid: 5,
  degraded: 6,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export class KerngateError extends Error {
  readonly exitCode: ExitCode;
  /** What to do about it; one sentence. */
  readonly remedy: string | undefined;

  constructor(message: string, options: { exit?: keyof typeof EXIT; remedy?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'KerngateError';
    this.exitCode = EXIT[options.exit ?? 'failed'];
    this.remedy = options.remedy;
  }

  /** Message and remedy as a person reads them. */
  get text(): string {
    return this.remedy === undefined ? this.message : `${this.message}\n  ${this.remedy}`;
  }
}
