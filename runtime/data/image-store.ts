/** The images of a data source in the form that an encoder takes: cut pictures or features. */

/** The place of an example in a run; random choices for the example depend on nothing else. */
export interface Seen {
  readonly data: string;
  readonly example: number;
  readonly epoch: number;
}

/** Images by number. */
export interface ImageStore {
  /** Number of different images in the store. */
  readonly count: number;
  /** Numbers of one image as the device lays it out. */
  readonly size: number;
  /** Adds files and returns their numbers; for a file that cannot be used, the error stands in place of the number. */
  addAll(paths: readonly string[]): Promise<(number | Error)[]>;
  /** A key of the image's contents: images of equal contents have equal keys. */
  nameOf(number: number): string;
  /**
   * Writes an image into `size` numbers. `seen`: the place in a training run, where training sees another part of the
   * picture each time.
   */
  write(number: number, out: Float32Array, seen?: Seen): void;
}
