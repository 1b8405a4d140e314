/** The formats without a template: `text`, packed into windows, and `tokens`, ids that are used as they are. */
import { InputError } from '../input-error.ts';
import { checkIds, countUnknown, type Example, label, packWindows } from './encode.ts';
import { located } from './encode-records.ts';
import type { Loaded, LoadOptions, Source } from './formats.ts';
import type { DataHost } from './host.ts';
import { isTable, readRecords } from './record-files.ts';
import { tellUnknown } from './remarks.ts';
import type { TextRecord } from './templates.ts';
import { streamOf, tokenRecords, tokensOf } from './token-files.ts';

/** Plain text (a document a file) or JSON lines with `text` (a document a line), packed into windows. */
export async function loadText(source: Source, options: LoadOptions): Promise<Loaded> {
  const { tokenizer } = options;
  const stream: number[] = [];
  let unknown = 0;
  let first = '';
  for (const path of source.paths) {
    for (const document of await documentsOf(path, options.host)) {
      const ids = tokenizer.encode(document, { bos: tokenizer.bos !== null, eos: tokenizer.eos !== null });
      checkIds(ids, options.vocab, path);
      const found = countUnknown(ids, tokenizer);
      if (found > 0) first ||= path;
      unknown += found;
      for (const id of ids) stream.push(id);
    }
  }
  const loaded = packed(Uint32Array.from(stream), options);
  const remarks = unknown === 0 ? [] : [tellUnknown(unknown, `a text of ${stream.length}`, first, tokenizer)];
  return { ...loaded, remarks: [...remarks, ...(loaded.remarks ?? [])] };
}

async function documentsOf(path: string, host: DataHost): Promise<string[]> {
  if (!/\.jsonl?$/.test(path) && !isTable(path)) return [await host.readText(path)];
  return (await readRecords(path, host)).map(({ value, where }) => {
    if (typeof value['text'] === 'string') return value['text'];
    throw new InputError(`${where()}: no field \`text\``, 'each record is {"text": "..."}');
  });
}

function packed(stream: Uint32Array, options: LoadOptions): Loaded {
  const length = Math.min(options.window ?? options.context, options.context);
  const examples = packWindows(stream, length);
  // A text shorter than one window is still an example.
  if (examples.length === 0) {
    examples.push(label([...stream], 0, { ...options, ignoreId: null }, 'text'));
    return { examples, records: [], truncated: 0, skipped: 0 };
  }
  // The first token of a text is nobody's label.
  const left = stream.length - 1 - examples.length * length;
  const remarks =
    left === 0
      ? []
      : [
          `the last ${left} of ${stream.length} tokens fill no window of ${length}, and are left out of every epoch`,
        ];
  return { examples, records: [], truncated: 0, skipped: 0, remarks };
}

/** Token ids: JSON lines `[1, 2, 3]` or `{"tokens": [...], "prompt": 2}`, or a .bin of little-endian uint16. */
export async function loadTokens(source: Source, options: LoadOptions): Promise<Loaded> {
  const loaded = { examples: [] as Example[], records: [] as TextRecord[], truncated: 0, skipped: 0 };
  const remarks: string[] = [];
  for (const path of source.paths) {
    if (path.endsWith('.bin')) {
      const stream = packed(streamOf(await options.host.readBytes(path), options.vocab, path), options);
      // One by one: a corpus has more windows than a call takes arguments.
      for (const example of stream.examples) loaded.examples.push(example);
      remarks.push(...(stream.remarks ?? []).map((remark) => `${path}: ${remark}`));
      continue;
    }
    for (const { value, where } of tokenRecords(await options.host.readText(path), path)) {
      const { tokens, prompt } = tokensOf(value, where);
      if (tokens.length > options.context) loaded.truncated++;
      const last = tokens.length - 1;
      const end = options.tokenizer.ends.has(tokens[last] ?? -1) ? last : -1;
      const rules = { ...options, ignoreId: options.ignoreId ?? null, end };
      loaded.examples.push(located(where, (at) => label(tokens, prompt, rules, at)));
      loaded.records.push(Array.isArray(value) ? {} : (value as TextRecord));
    }
  }
  return { ...loaded, remarks };
}
