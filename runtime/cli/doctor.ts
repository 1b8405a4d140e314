/** `graft doctor`: which device is used, with which driver and why; or what was tried and what to install. */
import { parseArgs } from 'node:util';
import { DeviceError, openDevice, type Device } from '../device/device.ts';
import { chooseDriver } from '../setup/choose.mjs';
import type { DriverChoice } from '../setup/drivers.mjs';
import { VERSION } from '../versions.ts';
import { EXIT, type Command } from './command.ts';

const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'minStorageBufferOffsetAlignment',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupsPerDimension',
] as const;

/** The report as data, for `--json`. */
function gather(device: Device, choice: DriverChoice): object {
  const limits = Object.fromEntries(LIMITS.map((name) => [name, device.limits[name]]));
  const { adapter, profile } = device;
  const versions = {
    graft: VERSION,
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
  };
  return {
    driver: choice.driver,
    reason: choice.reason,
    tried: choice.tried,
    adapter,
    profile,
    limits,
    features: [...device.features],
    ...versions,
  };
}

/** The report as text. */
export function formatReport(device: Device, choice: DriverChoice): string {
  const { adapter, profile } = device;
  const { subgroupMinSize: least, subgroupMaxSize: most } = adapter;
  const kernels =
    profile.device === 'gpu' ? 'for a GPU' : `for a CPU, subgroups: ${profile.subgroup ?? 'none'}`;
  const rows: readonly (readonly [string, string])[] = [
    ['device', adapter.description || `${adapter.vendor} ${adapter.device}`],
    ['vendor', `${adapter.vendor} (${adapter.architecture || 'unknown architecture'})`],
    ['driver', choice.driver],
    ['why', choice.reason],
    ...choice.tried.map(({ driver, outcome }) => ['not used', `${driver}: ${outcome}`] as const),
    ['kernels', kernels],
    ['subgroups', most > 0 ? `${least} to ${most}` : 'unknown'],
    [
      'features',
      [...device.features].filter((name) => name !== 'core-features-and-limits').join(', ') || 'none',
    ],
    ...LIMITS.map((name) => [name, device.limits[name].toLocaleString('en-US')] as const),
    ['graft', VERSION],
    ['node', `${process.versions.node}, ${process.platform}-${process.arch}`],
  ];
  return rows.map(([name, text]) => `${name.padEnd(34)} ${text}`).join('\n');
}

/** Prints the device, or what to install. */
export const command: Command = {
  name: 'doctor',
  summary: 'say which device is used and why, or what to install',
  usage: `usage: graft doctor [--refresh] [--json] [--driver NAME]

  --refresh   forget the recorded choice and try the drivers anew
  --json      print JSON`,
  async run(argv) {
    const options = { refresh: { type: 'boolean' }, json: { type: 'boolean' } } as const;
    const { values } = parseArgs({ args: [...argv], options });
    const log = (text: string): void => console.error(`graft doctor: ${text}`);
    // May fetch a driver: a doctor who can help, helps.
    const choice = chooseDriver({ log, refresh: values.refresh ?? false });
    try {
      const device = await openDevice();
      await device.check();
      console.log(
        values.json ? JSON.stringify(gather(device, choice), null, 2) : formatReport(device, choice),
      );
      return EXIT.ok;
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      console.error(error.message);
      return EXIT.failed;
    }
  },
};
