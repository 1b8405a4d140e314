/** `graft pull`: brings a model from the Hugging Face hub into the cache. */
import { parseArgs } from 'node:util';
import { pullModel } from '../hub/pull.ts';
import { EXIT, UsageError, type Command } from './command.ts';

const options = {
  revision: { type: 'string', default: 'main' },
  file: { type: 'string', multiple: true },
} as const;

export const command: Command = {
  name: 'pull',
  summary: 'bring a model from the Hugging Face hub into the cache',
  usage: `usage: graft pull ORG/NAME [--revision NAME] [--file NAME]...

Fetches the settings, the tokenizer and the weights (in one format) of a model, into the cache that Hugging Face's own
tools use. What is there already is not fetched again, an interrupted download goes on where it ended, and every file
is checked against the hash that the hub names. The last line is the folder; \`base x from "ORG/NAME"\` in a spec finds it.

  --revision NAME  branch, tag or commit; default main
  --file NAME      fetch this file instead of the weights that would be chosen, such as one of several GGUF files;
                   may be repeated

HF_TOKEN is sent where it is set, for models behind a licence; HF_HOME or HF_HUB_CACHE name another cache, HF_ENDPOINT
another hub.`,
  async run(argv) {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
    const [repo, ...more] = positionals;
    if (repo === undefined || more.length > 0) throw new UsageError('pull takes one ORG/NAME');
    const { HF_TOKEN: token, HF_ENDPOINT: hubUrl } = process.env;
    const show = makeMeter(process.stderr);
    const { folder } = await pullModel({
      repo,
      revision: values.revision,
      files: values.file ?? [],
      ...(hubUrl ? { hubUrl: hubUrl.replace(/\/$/, '') } : {}),
      ...(token ? { token } : {}),
      onProgress: show,
    });
    console.log(folder);
    return EXIT.ok;
  },
};

/** A line a file: rewritten in place on a terminal, written once elsewhere. */
function makeMeter(stream: NodeJS.WriteStream): (file: string, done: number, size: number) => void {
  const ended = new Set<string>();
  let shown = 0;
  return (file, done, size) => {
    const whole = done >= size;
    if (ended.has(file) || (!whole && (!stream.isTTY || performance.now() - shown < 100))) return;
    shown = performance.now();
    if (whole) ended.add(file);
    const mebi = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
    const line = `${file}  ${mebi(done)} of ${mebi(size)} MiB`;
    stream.write(stream.isTTY ? `\r\x1b[K${line}${whole ? '\n' : ''}` : `${line}\n`);
  };
}
