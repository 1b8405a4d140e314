/** The text of a new spec, from four choices. */
import type { ChosenBase } from './bases.ts';

/** What the adapter of a new spec is called. */
const ADAPTER = 'Adapted';

/** How the words are tuned. */
interface Method {
  readonly doc: string;
  /** Lines `KIND NAME on PLACE { ... }  // why`, in columns. */
  readonly parts: readonly (readonly [kind: string, name: string, place: string, block: string])[];
  readonly lr: string;
  readonly decay: string;
}

const words = [
  'prompt',
  'words',
  'on layers[late]',
  '{ length = length  gate = tanh(init: 0, per: head) }',
] as const;

/** The methods that `--method` takes. Rates are those of the papers and of `specs/`. */
export const methods: Readonly<Record<string, Method>> = {
  v1: {
    doc: 'LLaMA-Adapter (arXiv 2303.16199): prompts in the late layers, behind gates that start at zero.',
    parts: [words],
    lr: '1.125e-3',
    decay: '2%',
  },
  v2: {
    doc: 'LLaMA-Adapter V2 (arXiv 2304.15010): gated prompts, and y = s (W x + b) in every linear.',
    parts: [
      words,
      ['bias', 'biases', 'on every linear in layers', ''],
      ['scale', 'scales', 'on every linear in layers', ''],
      ['unfreeze', 'norms', 'on every norm', ''],
    ],
    lr: '1e-3',
    decay: '2%',
  },
  lora: {
    doc: 'LoRA (arXiv 2106.09685): y = W x + (alpha / rank) B A x.',
    parts: [['lora', 'low', 'on layers.attention.{wq, wv}', '{ rank = 8  alpha = 16 }']],
    lr: '3e-4',
    decay: '0',
  },
  bitfit: {
    doc: 'BitFit (arXiv 2106.10199): y = W x + b.',
    parts: [['bias', 'biases', 'on every linear in layers', '']],
    lr: '1e-3',
    decay: '0',
  },
  ssf: {
    doc: 'SSF (arXiv 2210.08823): y = s (W x) + b, the scale before the shift.',
    parts: [
      ['scale', 'scales', 'on every linear in layers', ''],
      ['bias', 'biases', 'on every linear in layers', ''],
    ],
    lr: '1e-3',
    decay: '0',
  },
  ia3: {
    doc: '(IA)3 (arXiv 2205.05638): factors on keys, values and the hidden layer.',
    parts: [['rescale', 'factors', 'on layers.attention.{wk, wv} + layers.feed_forward.w2', '']],
    lr: '3e-3',
    decay: '0',
  },
  houlsby: {
    doc: "Houlsby's adapters (arXiv 1902.00751): narrow networks behind attention and feed-forward.",
    parts: [
      ['bottleneck', 'adapters', 'on layers.attention.wo + layers.feed_forward.w2', '{ size = 64 }'],
      ['unfreeze', 'norms', 'on every norm', ''],
    ],
    lr: '3e-4',
    decay: '0',
  },
  prefix: {
    doc: 'Prefix tuning (arXiv 2101.00190): keys and values before those of the words, in every layer.',
    parts: [['prefix', 'past', 'on layers', '{ length = length }']],
    lr: '1e-2',
    decay: '0',
  },
  'prompt-tuning': {
    doc: 'Prompt tuning (arXiv 2104.08691): vectors in front of the words.',
    parts: [['prompt', 'soft', 'on input', '{ length = length }']],
    lr: '3e-2',
    decay: '0',
  },
  full: { doc: 'The whole base is trained.', parts: [], lr: '1e-5', decay: '10%' },
};

/** Where an image enters. */
export const fusions: Readonly<Record<string, string>> = {
  none: 'no images',
  early: 'a gated prompt in the first layers, as the paper of V2 has it',
  late: 'added to the prompts of the late layers, as V1 and the released V2 have it; or a prompt of its own there',
  input: 'tokens in front of the words, as LLaVA has it',
};

/** What is trained on what. */
export const tasks: Readonly<Record<string, string>> = {
  instruct: 'instructions with answers',
  text: 'plain text',
  caption: 'images with captions; needs a fusion',
};

export interface Choice {
  readonly base: ChosenBase;
  readonly method: string;
  readonly fusion: string;
  readonly tasks: readonly string[];
}

/** A commented spec that checks without a complaint, for any choice that `problemOf` has nothing against. */
export function scaffold(choice: Choice): string {
  const method = methods[choice.method];
  if (method === undefined) return '';
  const body = [
    lines(partsOf(choice, method)),
    groupsOf(choice, method).join('\n'),
    lines(tasksOf(choice)),
  ].filter((s) => s !== '');
  return `${[
    choice.base.text,
    paramsOf(choice, method).join('\n'),
    `/// ${method.doc}\nadapter ${ADAPTER} on ${choice.base.name} {\n${body.join('\n\n').replace(/^(?=.)/gm, '  ')}\n}`,
    dataOf(choice).join('\n'),
    recipeOf(choice, method),
  ]
    .filter((s) => s !== '')
    .join('\n\n')}\n`;
}

/** Why a choice makes no sense and what would, or null. */
export function problemOf({ method, fusion, tasks: chosen }: Omit<Choice, 'base'>): string | null {
  const bad = (what: string, word: string, table: Readonly<Record<string, unknown>>): string | null =>
    Object.hasOwn(table, word) ? null : `${what} is one of ${Object.keys(table).join(', ')}, not '${word}'`;
  const unknown =
    bad('--method', method, methods) ??
    bad('--fusion', fusion, fusions) ??
    chosen.map((task) => bad('--tasks', task, tasks)).find((p) => p !== null);
  if (unknown !== null && unknown !== undefined) return unknown;
  if (chosen.length === 0) return `--tasks is a list of ${Object.keys(tasks).join(', ')}`;
  const sees = chosen.includes('caption');
  if (sees && fusion === 'none')
    return 'the task caption needs an image: choose --fusion early, late or input';
  return !sees && fusion !== 'none' ? `--fusion ${fusion} needs the task caption, which trains it` : null;
}

type Row = readonly string[];

/** Rows in columns, a blank between them; the last column is as long as it is. */
function lines(rows: readonly Row[]): string {
  const widths = [0, 1, 2].map((i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i < row.length - 1 ? cell.padEnd(widths[i] ?? 0) : cell))
        .join(' ')
        .trimEnd(),
    )
    .join('\n');
}

const hasWords = (method: Method): boolean => method.parts.some(([, name]) => name === 'words');

function paramsOf({ fusion, base }: Choice, method: Method): string[] {
  const late = Math.max(1, base.layers - 1);
  const usesLate = hasWords(method) || fusion === 'late';
  const usesLength = method.parts.some((part) => part[3].includes('length = length')) || fusion !== 'none';
  const params: [string, string, string][] = [
    ...(usesLate
      ? [
          [
            'late',
            `last ${late}`,
            'layers with prompts; another value for one run: --set late="last 2"',
          ] as const,
        ]
      : []),
    ...(fusion === 'early' ? [['early', 'first 1', 'layers in which the image enters'] as const] : []),
    ...(usesLength ? [['length', '10', 'tokens of a prompt'] as const] : []),
  ].map(([name, value, why]) => [name, value, why]);
  const [name, value] = [0, 1].map((i) => Math.max(0, ...params.map((p) => (p[i] ?? '').length)));
  return params.map(([n, v, why]) => `param ${n.padEnd(name ?? 0)} = ${v.padEnd(value ?? 0)}  // ${why}`);
}

function partsOf({ fusion }: Choice, method: Method): Row[] {
  const places: Readonly<Record<string, readonly [place: string, block: string]>> = {
    early: ['on layers[early] from visual', '{ gate = tanh(init: 0, per: head) }'],
    late: [
      'on layers[late] from visual',
      hasWords(method) ? '{ fuse = add(words) }' : '{ gate = tanh(init: 0, per: head) }',
    ],
    input: ['on input from visual', ''],
  };
  const place = places[fusion];
  const sees: Row[] =
    place === undefined
      ? []
      : [
          ['encoder', 'vision', '{ model = clip("openai/clip-vit-large-patch14") }'],
          ['project', 'visual', 'from vision { kind = linear  length = length }'],
          ['prompt', 'image', [...place].filter((s) => s !== '').join(' ')],
        ];
  const own = method.parts.map(([kind, name, on, block]): Row => [
    kind,
    name,
    `${on}${block === '' ? '' : ` ${block}`}`,
  ]);
  return [...own, ...sees];
}

function groupsOf({ fusion }: Choice, method: Method): string[] {
  const writing = method.parts.map(([, name]) => name).join(' + ') || 'base';
  const names =
    fusion === 'none'
      ? [['writing', writing]]
      : [
          ['writing', writing],
          ['seeing', 'visual + image'],
        ];
  const width = Math.max(...names.map(([name = '']) => name.length));
  return names.map(([name = '', value = '']) => `group ${name.padEnd(width)} = ${value}`);
}

/** Data of each task, and how it is written. */
const sources: Readonly<Record<string, readonly [name: string, text: string, holds: string]>> = {
  instruct: [
    'instructions',
    'alpaca("data/instructions.json")',
    'a list of {"instruction", "input", "output"}',
  ],
  text: ['corpus', 'text("data/corpus.txt")', 'plain text'],
  caption: ['pairs', 'image_text("data/captions.json")', 'a list of {"image": "path", "caption"}'],
};

function tasksOf({ tasks: chosen, method }: Choice): Row[] {
  const writers = chosen.filter((task) => task !== 'caption');
  return chosen.map((task): Row => {
    const shared = writers.length > 1 && task !== 'caption' ? 'shared = true' : '';
    const own: Readonly<Record<string, string>> = {
      instruct: 'template = alpaca',
      caption: 'ask = "Describe the image:"',
    };
    const trains =
      task === 'caption'
        ? writers.length === 0
          ? method === 'full'
            ? 'seeing + base'
            : 'seeing + writing'
          : 'seeing'
        : 'writing';
    const attributes = [own[task] ?? '', shared].filter((s) => s !== '').join('  ');
    return [
      'task',
      task,
      `on ${sources[task]?.[0] ?? ''}`,
      `trains ${trains}${attributes === '' ? '' : ` { ${attributes} }`}`,
    ];
  });
}

function dataOf({ tasks: chosen }: Choice): string[] {
  const rows = chosen.flatMap((task) => (sources[task] === undefined ? [] : [sources[task]]));
  const [name, text] = [0, 1].map((i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  return rows.map(
    ([n, value, holds]) => `data ${n.padEnd(name ?? 0)} = ${value.padEnd(text ?? 0)}  // ${holds}`,
  );
}

function recipeOf({ tasks: chosen }: Choice, method: Method): string {
  const mix =
    chosen.length < 2
      ? []
      : [`mix       = alternate(${chosen.map((task) => `${task}: 1`).join(', ')})  // steps of each in turn`];
  const body = [
    ...mix,
    `optimizer = adamw(lr: ${method.lr}, betas: [0.9, 0.95], weight_decay: ${method.decay})`,
    'schedule  = cosine(warmup: 10%)  // a share of the run, however long the data makes it',
    'epochs = 3  batch = 4  accumulate = 8',
  ];
  return `recipe finetune for ${ADAPTER} {\n${body.map((line) => `  ${line}\n`).join('')}}`;
}
