/** What data is read through: files by their paths. */

/** How a loader gets at files; `dataHost` of runtime/files.ts in Node, fetch in a browser. */
export interface DataHost {
  /** @throws InputError naming the path that was tried */
  readText(path: string): Promise<string>;
  readBytes(path: string): Promise<Uint8Array>;
  /** Names of the files in a folder; null where the path is none. Absent: folders cannot be looked into. */
  readonly readFolder?: (path: string) => Promise<readonly string[] | null>;
}
