/** `data` declarations: a format and the files it is read from. */
import type { DataDeclaration } from '../../grammar/ast.ts';
import type { Host } from '../host.ts';
import type { DataSource } from '../model/model.ts';
import type { Env } from './env.ts';
import { unknownArgument } from './diagnostics/attributes.ts';
import { bareFile, wrongType } from './diagnostics/types.ts';
import { unknownChoice } from './diagnostics/values.ts';

/** What a format's examples are, which decides what a task on them may say. */
type DataShape = 'text' | 'instructions' | 'images';

/** The formats of data, with what their files hold. */
export const dataFormats: Readonly<Record<string, { readonly shape: DataShape; readonly doc: string }>> = {
  text: { shape: 'text', doc: 'Plain text, or records of `{"text"}`; cut into sequences.' },
  tokens: { shape: 'text', doc: 'Token ids: little-endian uint16 in a `.bin`, or JSON lines of lists.' },
  instructions: {
    shape: 'instructions',
    doc: 'Records of `{"instruction", "input", "output"}`, the input may be absent: JSON, JSON lines, CSV or Parquet.',
  },
  alpaca: {
    shape: 'instructions',
    doc: 'As `instructions`, by the name of the data set that made it common.',
  },
  chat: {
    shape: 'instructions',
    doc: "Conversations: `messages` as OpenAI has them, or ShareGPT's `conversations`.",
  },
  image_text: {
    shape: 'images',
    doc: 'Records of `{"image", "caption"}` or of an image with a conversation, as LLaVA has them, the image a path; or a folder of images with their captions.',
  },
};

export const shapeOf = (data: DataSource): DataShape => dataFormats[data.format]?.shape ?? 'text';

/** The format that a file of this name most likely has. */
const formatOf = (file: string): string =>
  /\.(txt|md)$/i.test(file) ? 'text' : /\.bin$/i.test(file) ? 'tokens' : 'instructions';

/** The source a declaration describes, or null after reporting what is wrong with it. */
export function readData(env: Env, declaration: DataDeclaration, host: Host): DataSource | null {
  const { value } = declaration;
  if (value.kind === 'missing') return null;
  const type = {
    kind: 'call',
    calls: Object.fromEntries(Object.keys(dataFormats).map((name) => [name, {}])),
  } as const;
  if (value.kind !== 'call') {
    env.report(
      value.kind === 'string' ? bareFile(value, type, formatOf(value.value)) : wrongType(value, type),
    );
    return null;
  }
  if (!Object.hasOwn(dataFormats, value.name.text)) {
    env.report(unknownChoice(value.name, Object.keys(dataFormats), '(...)'));
    return null;
  }
  const paths: string[] = [];
  let ok = true;
  for (const argument of value.arguments) {
    if (argument.name !== null) env.report(unknownArgument(argument, value.name, []));
    else if (argument.value.kind !== 'string') env.report(wrongType(argument.value, { kind: 'string' }));
    else {
      paths.push(host.resolve(declaration.span.file, argument.value.value));
      continue;
    }
    ok = false;
  }
  if (ok && paths.length === 0) {
    env.report(wrongType(value, { kind: 'string' }));
    ok = false;
  }
  return ok
    ? { name: declaration.name.text, format: value.name.text, paths, fields: {}, span: declaration.span }
    : null;
}
