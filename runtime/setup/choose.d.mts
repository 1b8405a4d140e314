import type { DriverChoice } from './drivers.mjs';

export function chooseDriver(options: { log: (text: string) => void; refresh?: boolean }): DriverChoice;
