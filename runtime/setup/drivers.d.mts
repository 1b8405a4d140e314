/** A Vulkan driver; `hardware` and `system` are whatever the system's loader finds, a GPU or a software one. */
export type DriverName = 'hardware' | 'system' | 'lavapipe' | 'swiftshader' | 'none';

export interface DriverChoice {
  readonly driver: DriverName;
  /** Why it was picked, as a part of a sentence. */
  readonly reason: string;
  /** What was tried on the way, with the outcome of each. */
  readonly tried: readonly { readonly driver: DriverName; readonly outcome: string }[];
}

export class SetupError extends Error {}

export const DRIVERS: readonly DriverName[];
export function projectRoot(): string;
export function programFile(name: string): string;
export function cacheFolder(): string;
export function isSoftwareDriver(driver: DriverName): boolean;
export function fetchedDriver(driver: DriverName): string | null;
export function readJson(file: string): unknown;
export function writeJson(file: string, value: unknown): void;
export function recordChoice(choice: DriverChoice): void;
export function recordedChoice(): DriverChoice | null;
export function requestedDriver(): DriverName | null;
export function currentChoice(): DriverChoice;
export function applyDriver(choice: DriverChoice): void;
export function explainMissing(choice: DriverChoice): string;
