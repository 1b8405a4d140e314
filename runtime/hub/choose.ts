/** Which files of a model on the hub are worth fetching. */
import { InputError } from '../input-error.ts';

/** What configures a model and its tokenizer, and what a PEFT adapter says of itself. */
const SETTINGS =
  /^(config|generation_config|adapter_config|params|preprocessor_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab|chat_template)\.json$|^(tokenizer\.model|merges\.txt|chat_template\.jinja)$/;

/** Formats of weights, the best first: a model that has one of them in several formats is fetched once. */
const FORMATS: readonly RegExp[] = [
  /^(model|adapter_model|diffusion_pytorch_model).*\.safetensors(\.index\.json)?$/,
  /\.safetensors(\.index\.json)?$/,
  /^consolidated\.\d\d\.pth$/,
  /\.gguf$/,
  /\.pth$/,
];

/**
 * The files to fetch of those a model has: its settings and its weights in one format.
 * @param names every file at the top of the repository
 * @param only files the user asks for by name; then no others are weights
 * @throws InputError when a name is not there, or when several single-file weights are and none was asked for
 */
export function chooseFiles(
  names: readonly string[],
  only: readonly string[],
  repo: string,
): readonly string[] {
  for (const name of only)
    if (!names.includes(name))
      throw new InputError(`${repo} has no file \`${name}\``, `it has ${list(names)}`);
  const settings = names.filter((name) => SETTINGS.test(name));
  if (only.length > 0) return [...settings, ...only.filter((name) => !settings.includes(name))];
  const format = FORMATS.find((pattern) => names.some((name) => pattern.test(name)));
  if (!format)
    throw new InputError(
      `${repo} has no weights in a format that Graft reads`,
      `it has ${list(names)}; look for the same model in safetensors or GGUF format`,
    );
  const weights = names.filter((name) => format.test(name));
  if (weights.length > 1 && weights.every((name) => name.endsWith('.gguf')))
    throw new InputError(
      `${repo} has ${weights.length} GGUF files, each a whole model`,
      `choose one with --file: ${list(weights)}`,
    );
  return [...settings, ...weights];
}

const MOST = 12;
const list = (names: readonly string[]): string =>
  names.slice(0, MOST).join(', ') + (names.length > MOST ? ` and ${names.length - MOST} more` : '');
