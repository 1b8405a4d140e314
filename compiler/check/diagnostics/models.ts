/** Models that bases are read from. */
import type { StringLiteral } from '../../../grammar/ast.ts';
import type { Details, Diagnostic } from '../../../grammar/diagnostic.ts';
import { entry } from '../../../grammar/entry.ts';
import type { ConfigProblem } from '../../families/config-reader.ts';

export const A136 = entry({
  code: 'A136',
  severity: 'error',
  title: 'a model that is not there',
  text: `
    \`base NAME from "MODEL"\` takes its sizes from the \`config.json\` in a folder, which is Hugging Face's own or one that
    another tool wrote alike. The path counts from the spec's folder. Where there is no such folder, MODEL may be the name
    of a model that \`graft pull ORG/NAME\` brought into the hub's cache.`,
  bad: `
    base example from "models/elsewhere"

    adapter Example on example {}`,
  good: `
    base example from "models/qwen3"

    adapter Example on example {}`,
});

export const A137 = entry({
  code: 'A137',
  severity: 'error',
  title: 'a model that cannot be a base',
  text: `
    A key of the model's \`config.json\` says that it computes something else than a base can: another architecture, another
    activation, quantised weights. The model is refused by that key, since leaving it out would change the answers.
    docs/models.md lists what is read and what is refused.`,
  bad: `
    base example from "models/bert"

    adapter Example on example {}`,
  good: `
    base example from "models/qwen3"

    adapter Example on example {}`,
});

export const A307 = entry({
  code: 'A307',
  severity: 'warning',
  title: 'a base without the files it is read from',
  text: `
    The model's folder is not there. The braces of the base say \`layers\`, \`dim\`, \`heads\`, \`ffn\` and \`vocab\`, so the
    spec can be checked by them, with the usual value of every attribute that they do not say. With the folder in its place
    its numbers count instead of these values, and what is written in the braces counts before both.`,
  bad: `
    base example from "models/elsewhere" { layers = 2  dim = 8  heads = 2  ffn = 8  vocab = 10 }

    adapter Example on example {}`,
  good: `
    base example { layers = 2  dim = 8  heads = 2  ffn = 8  vocab = 10 }

    adapter Example on example {}`,
});

/** `ORG/NAME`, as models on the hub are called. */
const isHubName = (text: string): boolean => /^\w[\w.-]*\/[\w.-]+$/.test(text);

/** @param folder where the spec's path leads; `complete`: the base's braces have all that it cannot do without */
export function modelNotFound(from: StringLiteral, folder: string, complete: boolean): Diagnostic {
  const details: Details = {
    label: `looked for \`${folder}/config.json\``,
    help: isHubName(from.value)
      ? `if the hub has a model of this name, \`graft pull ${from.value}\` fetches it; a path counts from the folder of this file`
      : '`graft pull ORG/NAME` fetches a model of the hub, whose name may stand here; a path counts from the folder of this file',
  };
  const message = `there is no model at ${from.text}`;
  return complete ? A307.at(from.span, message, details) : A136.at(from.span, message, details);
}

export const modelRefused = (from: StringLiteral, config: string, problem: ConfigProblem): Diagnostic =>
  A137.at(from.span, `${config} ${problem.message}`, { help: problem.remedy });
