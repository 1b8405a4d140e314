/**
 * `npm run base -- grow`: the deeper base of `deep.adapter`, from the embedded one. Its text is that of `npm run base --
 * corpus`.
 */
import { existsSync } from 'node:fs';
import { nodeHost } from '../../runtime/hosts/node.ts';
import { loadModel, openProject } from '../../runtime/project/spec.ts';
import { writeSafetensors } from '../../runtime/files/write.ts';
import { adapterMetadata } from '../../runtime/weights/adapter.ts';
import { expandLayers } from './expand.ts';
import { judgeBase, readTensors, tensorsOf } from './judge.ts';
import { here } from './here.ts';
import { trainStage } from './stage.ts';

const SPEC = here('deep.adapter');
const START = here('../../.cache/base/english3m.start.safetensors');

if (!existsSync(here('../../.cache/base/rows.mixed.bin')))
  throw new Error('.cache/base/rows.mixed.bin is missing: npm run base -- corpus makes it');
const { model, spec } = await openProject(nodeHost, `${SPEC}:Growing`);
const shallow = loadModel(nodeHost, `${here('full.adapter')}:Full`).base;
const values = expandLayers(await readTensors(here('base.safetensors')), shallow.layers, model.base.layers);
await writeSafetensors(START, tensorsOf(model, values), adapterMetadata(model, '', spec.hash));
const trained = await trainStage(`${SPEC}:Growing`, 'runs/growing', START);
await judgeBase(`${SPEC}:Growing`, trained);
