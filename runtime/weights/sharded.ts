/**
 * Weights in several safetensors files, listed in `model.safetensors.index.json` as Hugging Face writes it.
 */
import { InputError } from '../input-error.ts';
import { parseJsonStrict } from '../json.ts';
import { openSafetensors, type SafetensorsFile } from './safetensors.ts';
import type { ByteSource, TensorInfo, WeightSource } from './source.ts';

/**
 * Opens every shard's header; tensors are read when asked for.
 * @param text contents of the index file
 * @param file its name, for messages
 * @param open opens a file that lies beside the index
 * @throws InputError when the index and its shards disagree
 */
export async function openSharded(
  text: string,
  file: string,
  open: (name: string) => Promise<ByteSource>,
): Promise<WeightSource> {
  const map = weightMap(text, file);
  const shards = new Map<string, SafetensorsFile>();
  const close = async (): Promise<void> => {
    for (const shard of shards.values()) await shard.close();
  };
  try {
    for (const name of new Set(map.values())) shards.set(name, await openSafetensors(await open(name)));
    const tensors = new Map<string, TensorInfo>();
    for (const [tensor, shard] of map) {
      const info = shards.get(shard)!.tensors.get(tensor);
      if (!info) {
        throw new InputError(
          `${file} says that \`${tensor}\` is in ${shard}, which does not have it`,
          'the shards are of different versions: get them all again',
        );
      }
      tensors.set(tensor, info);
    }
    return {
      name: file,
      tensors,
      metadata: shards.values().next().value?.metadata ?? {},
      read: async (name, options) => {
        const shard = map.get(name);
        if (shard === undefined) throw new InputError(`${file} has no tensor \`${name}\``, 'check the name');
        return await shards.get(shard)!.read(name, options);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function weightMap(text: string, file: string): Map<string, string> {
  const json = parseJsonStrict(text, file);
  const map = typeof json === 'object' && json !== null && 'weight_map' in json ? json.weight_map : null;
  if (typeof map !== 'object' || map === null) {
    throw new InputError(
      `${file} has no \`weight_map\``,
      'give a `model.safetensors.index.json` of Hugging Face',
    );
  }
  return new Map(
    Object.entries(map).map(([tensor, shard]) => {
      // A name with a path could read anything on this machine.
      if (typeof shard !== 'string' || /[/\\]|^\.\.?$/.test(shard)) {
        throw new InputError(
          `${file}: \`${tensor}\` is in ${JSON.stringify(shard)}, which is not a file beside it`,
          'check the index',
        );
      }
      return [tensor, shard] as const;
    }),
  );
}
