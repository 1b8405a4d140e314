/** The world of a project on Node: files by their paths, pictures decoded by sharp, warnings on standard error. */
import { existsSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { openTokenizer, openWeights, readBytes, readFolder, readText } from '../files.ts';
import { readPackage } from '../files/package.ts';
import { decodePicture } from '../images/node.ts';
import type { ProjectHost } from '../project/host.ts';
import { contentKey } from './node-content.ts';
import { pictureFolder } from './node-pictures.ts';
import { nodeSpecHost } from './node-specs.ts';

export const nodeHost: ProjectHost = {
  ...nodeSpecHost,
  readText,
  readBytes,
  readFolder,
  openWeights,
  openTokenizer,
  openPackage: async (folder) => (existsSync(join(folder, 'manifest.json')) ? readPackage(folder) : null),
  decodePicture,
  pictureCache: pictureFolder('.cache/images'),
  contentKey,
  memory: totalmem(),
};
