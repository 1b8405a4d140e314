/** `npm run base -- pretrain`: both stages of `pretrain.adapter`, then the verdict, then `base.safetensors` in float16. */
import { judgeBase } from './judge.ts';
import { here } from './here.ts';
import { trainStage } from './stage.ts';

const SPEC = here('pretrain.adapter');

const reading = await trainStage(`${SPEC}:Reading`, 'runs/reading');
const copying = await trainStage(`${SPEC}:Copying`, 'runs/copying', reading);
await judgeBase(`${SPEC}:Reading`, copying);
