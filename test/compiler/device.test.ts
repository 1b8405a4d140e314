/** The compiled training programs of every spec on the device, under each class of kernels, against float64. */
import { suite } from 'uvu';
import type { Profile } from '../../compiler/package/package.ts';
import { checkModel } from './on-device.ts';
import { withDevice } from './sessions.ts';
import { imageLibrary, library, modelOf, odd } from './subjects.ts';

const t = suite('programs on the device');

/** Null: the device's own class. */
const profiles: readonly (Profile | null)[] = [
  null,
  { device: 'software', subgroup: null },
  { device: 'gpu', subgroup: null },
];

for (const profile of profiles) {
  const title = profile ? `${profile.device} without subgroups` : "the device's own profile";
  for (const { name, model } of [...library(), ...imageLibrary()])
    if (model.tasks.length > 0)
      t(`${name}, ${title}`, () => withDevice((device) => checkModel(device, model, profile)));
  t(`everything is trained, tied head, half-split rotation, odd width, ${title}`, () =>
    withDevice((device) => {
      const base = { ...odd, tied: true, rope: { style: 'half', theta: 100 } } as const;
      const items =
        'prompt w on layers[all] { length = 1 }\nprompt u on input { length = 3 }\nprefix v on layers[last 1] { length = 2 }\ntask train on some trains base + w + u + v';
      return checkModel(device, modelOf(items, base), profile);
    }),
  );
  t(`the head runs on labelled rows only, ${title}`, () =>
    withDevice((device) =>
      checkModel(
        device,
        modelOf('prompt w on input { length = 3 }\ntask train on some trains base + w'),
        profile,
        8,
      ),
    ),
  );
}

t.run();
