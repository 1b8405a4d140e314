/** What opening, training and asking a spec's model needs of the world around it: Node, a page and a test each bring their own. */
import type { Host } from '../../compiler/host.ts';
import type { DataHost } from '../data/host.ts';
import type { PictureCache } from '../data/picture-store.ts';
import type { DecodePicture } from '../images/picture.ts';
import type { Package } from '../session.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { WeightSource } from '../weights/source.ts';

/** What reading a spec needs: its text with those it imports, and a reader of its warnings. */
export interface SpecHost {
  readonly specs: Host;
  /** Takes one warning or remark for the user, a line or a few without a line break at the end. */
  readonly warn: (text: string) => void;
}

export interface ProjectHost extends SpecHost, DataHost {
  /** Opens weights of any format by their path. @throws InputError when there are none, or of a format that is not read */
  readonly openWeights: (path: string) => Promise<WeightSource>;
  /** @param weights the base's weights: files that tell how texts begin and end may lie beside them */
  readonly openTokenizer: (path: string, weights?: string) => Promise<Tokenizer>;
  /** The package in a folder; null when the path is no package's folder. */
  readonly openPackage: (folder: string) => Promise<Package | null>;
  readonly decodePicture: DecodePicture;
  /** Where cut pictures go that do not fit into memory; null: all of them stay in memory. */
  readonly pictureCache: PictureCache | null;
  /** Tells the contents of a file or a folder from others. */
  readonly contentKey: (path: string) => Promise<string>;
  /** Bytes of memory of the machine, which a software device shares; null: not told. */
  readonly memory: number | null;
}
