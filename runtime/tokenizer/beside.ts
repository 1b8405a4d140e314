/** The files of a model's folder that say more of its tokenizer than the tokenizer's own file. */

export interface Beside {
  /**
   * tokenizer_config.json, with special_tokens_map.json for what it leaves out; chat_template.jinja, where there is one, is
   * its `chat_template`.
   */
  readonly config: unknown;
  /** config.json and generation_config.json: `eos_token_id` there is one id or a list. */
  readonly models: readonly unknown[];
}

/**
 * Reads them, each if there is one.
 * @param read gives a parsed JSON file of the tokenizer's folder, or the text of another; undefined where it has none
 * @param readModel the same for the folder of the weights, when that is another
 */
export async function readBeside(
  read: (name: string) => Promise<unknown>,
  readModel?: (name: string) => Promise<unknown>,
): Promise<Beside> {
  const named = objectOf(await read('special_tokens_map.json'));
  const config = objectOf(await read('tokenizer_config.json'));
  const template = await read('chat_template.jinja');
  const models: unknown[] = [];
  for (const from of readModel ? [read, readModel] : [read])
    for (const name of ['generation_config.json', 'config.json']) models.push(await from(name));
  return {
    config: { ...named, ...config, ...(typeof template === 'string' ? { chat_template: template } : {}) },
    models,
  };
}

const objectOf = (value: unknown): object => (typeof value === 'object' && value !== null ? value : {});
