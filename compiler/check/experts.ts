/** Experts: models that turn an image into text beside the question. Checked here, run by `runtime/experts`. */
import type { ExpertItem, Field as SpecField } from '../../grammar/ast.ts';
import { singleName } from '../../grammar/ast.ts';
import type { Span } from '../../grammar/source.ts';
import type { Host } from '../host.ts';
import { choice, count, number, orNone, textOf } from '../kinds/fields.ts';
import type { Field } from '../kinds/kind.ts';
import type { Expert, ExpertRun } from '../model/expert.ts';
import type { FieldValue } from '../model/model.ts';
import { callOf, numberOf } from '../model/values.ts';
import type { Env } from './env.ts';
import { readFields } from './fields.ts';
import { cannotRun } from './diagnostics/experts.ts';
import { checkPlaceholder } from './tasks.ts';
import { splitWords } from './command-line.ts';

const string = { kind: 'string' } as const;
const share = (value: number, doc: string): Field => ({ type: number(0, 1), default: value, doc });

/** The ways an expert can be run. */
const runs: Readonly<Record<string, Readonly<Record<string, Field>>>> = {
  ocr: {
    language: { type: string, default: 'eng', doc: "Of the text, by Tesseract's name." },
    confidence: share(0.6, 'Words that are less certain are left out.'),
  },
  caption: {
    model: { type: string, doc: 'A spec, `SPEC:ADAPTER`, or the folder of a package.' },
    adapter: { type: orNone(string), default: null, doc: 'Its trained parameters.' },
    ask: { type: orNone(string), default: null, doc: "What it is asked; none: its own task's question." },
    tokens: { type: count, default: 40, doc: 'Longest answer, in its tokens.' },
  },
  detect: {
    model: { type: string, doc: "An ONNX file with FastestDet's inputs and outputs." },
    labels: { type: string, doc: 'A text file with the name of one class a line.' },
    confidence: share(0.5, 'Objects that are less certain are left out.'),
  },
  http: { address: { type: string, doc: 'Where the image is posted to; needs `--allow http`.' } },
  command: {
    line: {
      type: string,
      doc: 'What is run, without a shell; {image} is the file, else it comes on standard input. Needs `--allow command`.',
    },
  },
};

/** The attributes of an expert. */
export const expertFields: Readonly<Record<string, Field>> = {
  reads: { type: choice('image'), default: 'image', doc: 'What it is given.' },
  run: {
    type: orNone({ kind: 'call', calls: runs }),
    default: null,
    doc: 'How it is run; none: its text is given by hand.',
  },
  say: { type: string, default: '{text}', doc: 'How its answer is put to the model; {text} is the answer.' },
  timeout: {
    type: { kind: 'number', above: 0, max: 86400 },
    default: 30,
    doc: 'Seconds for one image, its start included; later answers are not waited for.',
  },
  length: { type: count, default: 300, doc: 'Longest answer, in characters; what is longer is cut.' },
};

/** The expert an item describes, or null after reporting what is wrong with it. */
export function readExpert(env: Env, item: ExpertItem, host: Host): Expert | null {
  const { values, written, ok } = readFields(env, item.fields, expertFields, 'expert', item.name.span);
  checkPlaceholder(env, written.get('say'), 'text');
  if (!ok) return null;
  const field = written.get('run');
  const run = field === undefined || values['run'] === null ? null : readRun(env, field, values['run'], host);
  if (run === undefined) return null;
  return {
    name: item.name.text,
    run,
    say: textOf(values['say']),
    timeout: numberOf(values['timeout']),
    length: numberOf(values['length']),
    span: item.span,
  };
}

function readRun(
  env: Env,
  field: SpecField,
  value: FieldValue | undefined,
  host: Host,
): ExpertRun | undefined {
  const { call, args } = callOf(value);
  const { span, file } = placeOf(env, field);
  const text = (key: string): string => textOf(args[key]);
  const optional = (key: string): string | null => (args[key] === null ? null : text(key));
  const path = (key: string): string => host.resolve(file, text(key));
  const refuse = (message: string, help: string): undefined => {
    env.report(cannotRun(span, message, help));
    return undefined;
  };
  switch (call) {
    case 'ocr':
      if (!/^[a-z][a-z_]{2,}$/.test(text('language')))
        return refuse(
          `\`${text('language')}\` is not the name of a language`,
          'write one such as `"eng"` or `"deu"`',
        );
      return { kind: 'ocr', language: text('language'), confidence: numberOf(args['confidence']) };
    case 'caption':
      return {
        kind: 'caption',
        model: path('model'),
        adapter: args['adapter'] === null ? null : path('adapter'),
        ask: optional('ask'),
        tokens: numberOf(args['tokens']),
      };
    case 'detect':
      return {
        kind: 'detect',
        model: path('model'),
        labels: path('labels'),
        confidence: numberOf(args['confidence']),
      };
    case 'http':
      return /^https?:\/\/[^\s/]/.test(text('address'))
        ? { kind: 'http', address: text('address') }
        : refuse(`\`${text('address')}\` is no address on the web`, 'begin it with `http://` or `https://`');
    default: {
      const words = splitWords(text('line'));
      if (words === null) return refuse('a quote in the command is not closed', 'close it, or take it away');
      if (words.length === 0)
        return refuse('the command is empty', 'write the program first, then its arguments');
      return { kind: 'command', words, folder: host.resolve(file, '.') };
    }
  }
}

/** Where a value was really written, which its paths are relative to: a param may stand in another file. */
function placeOf(env: Env, field: SpecField): { readonly span: Span; readonly file: string } {
  let { value } = field;
  for (let name = singleName(value); name !== null; name = singleName(value)) {
    const param = env.scope.params.get(name.text);
    if (param === undefined) break;
    ({ value } = param);
  }
  return { span: field.value.span, file: value.span.file };
}
