/** A base in a line, for an editor and for the command line. */
import { baseParameters } from '../families/sites.ts';
import type { Base } from '../model/model.ts';
import { sumOf } from './counts.ts';

/** `6,738,415,616`, whatever the locale. */
export const figure = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ',');

export const plural = (n: number, noun: string): string => `${figure(n)} ${noun}${n === 1 ? '' : 's'}`;

/** Sizes of a base. */
export const describeBase = (base: Base): string =>
  `${plural(base.layers, 'layer')} of width ${figure(base.dim)}, ${plural(base.heads, 'head')}, ${figure(base.ffn)} in the feed-forward network, ${figure(base.vocab)} tokens`;

export const countBase = (base: Base): string => plural(sumOf(baseParameters(base)), 'parameter');

/** What was read of a base's model and from where; null for a base whose sizes stand in the spec. */
export const describeOrigin = ({ family, config }: Base): string | null =>
  config === undefined ? null : `read from ${config}: family ${family}`;
