/**
 * A mistake in what the user gave us (a file, an option, a record), as opposed to a bug of ours.
 *
 * The command line prints `message` and `help` without a stack; anything else that is thrown is a bug. It says what
 * was found, where, and what to do about it.
 */
export class InputError extends Error {
  /** What to do about it: one sentence, imperative. */
  readonly help: string;
  /** The message without `help`. */
  readonly #found: string;

  constructor(message: string, help: string, options?: ErrorOptions) {
    super(`${message}\n  help: ${help}`, options);
    this.name = 'InputError';
    this.help = help;
    this.#found = message;
  }

  /** The same mistake, told of a place that was not known where it was found. */
  at(place: string): InputError {
    return new InputError(`${place}: ${this.#found}`, this.help, { cause: this });
  }
}
