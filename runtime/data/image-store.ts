/** The images of a data source, whatever an encoder wants of them: cut pictures or features. */

/** Where an example stands in a run: what is drawn for it depends on nothing else. */
export interface Seen {
  readonly data: string;
  readonly example: number;
  readonly epoch: number;
}

/** Images by number. */
export interface ImageStore {
  /** Different images it holds. */
  readonly count: number;
  /** Numbers of one image as the device lays it out. */
  readonly size: number;
  /** Takes files in. What is wrong with one comes back in its place. */
  addAll(paths: readonly string[]): Promise<(number | Error)[]>;
  /** What tells an image from others: two of the same content have the same. */
  nameOf(number: number): string;
  /** Writes an image to a place of `size` numbers. `seen`: as training sees it there, where that differs. */
  write(number: number, out: Float32Array, seen?: Seen): void;
}
