/** Reading keys of a config.json one by one, with what is wrong with them. */

/** The contents of a config.json. */
export type Config = Readonly<Record<string, unknown>>;

/** Whether a value of JSON is a table, which neither a list nor null is. */
export const isTable = (value: unknown): value is Config =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A parsed config.json; any value but a table says nothing of a model. */
export const configOf = (value: unknown): Config => (isTable(value) ? value : {});

/** Why a config.json cannot be read as a base. `message` continues "FILE ...". */
export interface ConfigProblem {
  readonly key: string;
  readonly message: string;
  readonly remedy: string;
  /** There is no base to speak of, as where a size is missing. */
  readonly fatal: boolean;
}

export class ConfigReader {
  readonly problems: ConfigProblem[] = [];
  readonly #config: Config;
  readonly #read = new Set<string>();

  constructor(config: Config) {
    this.#config = config;
  }

  /** The value as it is written. */
  raw(key: string): unknown {
    return this.#config[key];
  }

  /** The value of a key that nothing has read; undefined for the others. */
  unread = (key: string): unknown => (this.#read.has(key) ? undefined : this.#config[key]);

  /** Takes a key for read. */
  take(key: string): unknown {
    this.#read.add(key);
    return this.#config[key];
  }

  /** A number, also one written as a string; where there is none, `unsaid`. */
  number(key: string, unsaid?: number): number {
    const value = asNumber(this.take(key));
    if (typeof value === 'number') return value;
    if (value === undefined && unsaid !== undefined) return unsaid;
    const why = value === undefined ? `has no number \`${key}\`` : `has no number in \`${key}\``;
    this.problems.push({ key, message: why, remedy: 'give the folder of a whole model', fatal: true });
    return NaN;
  }

  /** A whole number from 1 up to `most`; NaN where it is larger, so that no list of that length is made. */
  size(key: string, unsaid?: number, most = Infinity): number {
    const value = this.number(key, unsaid);
    if (value > most) {
      const message = `comes to ${value} for \`${key}\``;
      this.problems.push({ key, message, remedy: `at most ${most} can be built`, fatal: true });
      return NaN;
    }
    if (!Number.isNaN(value) && !(Number.isInteger(value) && value > 0))
      this.problems.push({
        key,
        message: `comes to ${value} for \`${key}\``,
        remedy: 'a size is a whole number above 0: compare it with the file that the model came with',
        fatal: true,
      });
    return value;
  }

  /** A switch, which `null` turns off; where there is none, `unsaid`. */
  flag(key: string, unsaid = false): boolean {
    const value = this.take(key);
    if (value === undefined) return unsaid;
    if (typeof value !== 'boolean' && value !== null)
      this.problems.push({
        key,
        message: `has ${JSON.stringify(value)} for \`${key}\`, which is true or false`,
        remedy: `write \`true\` or \`false\` there, as the model's own file has it`,
        fatal: false,
      });
    return value === true;
  }

  /** Says that a key makes another network of the model than can be computed here. */
  refuse(key: string, message: string): void {
    this.problems.push({ key, message, remedy: 'this is not supported yet', fatal: false });
  }
}

/** The number that a value is; undefined for none, null for what is no number. */
export function asNumber(value: unknown): number | null | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  return typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value))
    ? Number(value)
    : null;
}
