/** Packages that only some experts need: loaded when one of these is asked, and missed by name. */
import { InputError } from '../input-error.ts';

/**
 * Loads an optional package.
 * @param load the `import()` itself, so that bundlers see its name
 * @throws InputError that says how to install it
 */
export async function loadOptional<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new InputError(`${name} does not load: ${reason}`, `install it with \`npm install ${name}\``, {
      cause,
    });
  }
}
