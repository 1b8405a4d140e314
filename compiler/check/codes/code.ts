/** One kind of diagnostic, as `graft explain` tells it. */
export interface Code {
  readonly code: string;
  readonly title: string;
  /** Why it is a mistake and what to do, in a paragraph or two. */
  readonly text: string;
  /** A spec with this mistake and no other, and the same spec without it. */
  readonly bad: string;
  readonly good: string;
}

/** Takes the indentation and the outer blank lines off a template string. */
export function dedent(text: string): string {
  const lines = text.replace(/^\n/, '').trimEnd().split('\n');
  const depth = Math.min(...lines.filter((l) => l.trim() !== '').map((l) => l.length - l.trimStart().length));
  return `${lines.map((l) => l.slice(depth)).join('\n')}\n`;
}

/** An entry of the catalogue. */
export const entry = (code: string, title: string, text: string, bad: string, good: string): Code => ({
  code,
  title,
  text: dedent(text).trimEnd(),
  bad: dedent(bad),
  good: dedent(good),
});

/** An example that is one adapter on `llama7b`, given its items. */
export const onLlama = (items: string): string =>
  `import "bases.adapter"\n\nadapter Example on llama7b {\n${dedent(items).replace(/^(?=.)/gm, '  ')}}\n`;
