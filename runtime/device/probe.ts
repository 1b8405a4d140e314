/** Opens a device with the driver of GRAFT_DRIVER and prints what it is as JSON. Run by `choose.mjs` in a process of its own. */
import { DeviceError, openDevice } from './device.ts';

async function describe(): Promise<object> {
  try {
    const device = await openDevice();
    await device.check();
    return { adapter: device.adapter };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const none = error instanceof DeviceError && message.startsWith('no WebGPU device');
    return { problem: none ? 'it offers no adapter' : message.split('\n')[0] };
  }
}

process.stdout.write(`probe ${JSON.stringify(await describe())}\n`, () => process.exit(0));
