/** What a command of `graft` is, and the ways it ends. */

/** A file in this folder exports one of these as `command`. */
export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Shown for `graft NAME --help`. */
  readonly usage: string;
  /** Runs with the arguments after the command's name; gives the exit code. */
  run(argv: readonly string[]): Promise<number>;
}

/** Exit codes of every command. */
export const EXIT = {
  ok: 0,
  /** The input has errors, or what was asked for could not be done; the message says why. */
  failed: 1,
  /** The command line makes no sense. */
  usage: 2,
  /** A bug of ours. */
  internal: 3,
} as const;

/** A mistake in the command line: printed on one line that names the command's help, exit code 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

/** The number an option is given. @throws UsageError when it is no whole number, or not from `least` to `most` */
export function wholeNumber(text: string, option: string, least = 0, most = Infinity): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw new UsageError(
    `${option} takes a whole number from ${least}${most === Infinity ? '' : ` to ${most}`}, not \`${text}\``,
  );
}

/** The number from 0 to `most` an option is given; it may be a fraction. @throws UsageError when it is none */
export function positiveNumber(text: string, option: string, most = Infinity): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= most && value < Infinity) return value;
  throw new UsageError(
    `${option} takes a number from 0${most === Infinity ? '' : ` to ${most}`}, not \`${text}\``,
  );
}
