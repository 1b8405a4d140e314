/** A browser to start, and what its environment needs on top of ours. */
export interface Chromium {
  readonly executable: string;
  readonly env: Readonly<Record<string, string>>;
}

export function installedChromium(): Chromium | null;
export function fetchChromium(options: { log: (text: string) => void }): Chromium;
