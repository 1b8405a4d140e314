/** What the reader of a data format takes and gives. */
import type { DataSource } from '../../compiler/model/model.ts';
import type { EncodeRules, Example } from './encode.ts';
import type { ImageStore } from './image-store.ts';
import type { DataHost } from './host.ts';
import type { BadPicture } from './picture-store.ts';
import type { Template, TextRecord } from './templates.ts';

export interface LoadOptions extends Partial<Pick<EncodeRules, 'ignoreId'>>, Omit<EncodeRules, 'ignoreId'> {
  readonly host: DataHost;
  /** Default: Alpaca's. */
  readonly template?: Template;
  /** The instruction of every `image_text` example. Default: the official caption prompt. */
  readonly ask?: string;
  /** Where the images of `image_text` go. Without one they are not looked at. */
  readonly pictures?: ImageStore;
  /** An example longer than the context: cut it (the official rule), leave it out, or stop. Default `truncate`. */
  readonly long?: 'truncate' | 'skip' | 'error';
  /** Tokens of a window of `text`. Default: the context. */
  readonly window?: number;
}

/** A data source as a spec declares it. */
export type Source = Pick<DataSource, 'name' | 'format' | 'paths'>;
/** The examples of a source, before they are counted. */
export interface Loaded {
  readonly examples: Example[];
  readonly records: TextRecord[];
  readonly truncated: number;
  readonly skipped: number;
  readonly remarks?: readonly string[];
  readonly pictures?: Uint32Array;
  readonly bad?: readonly BadPicture[];
}
