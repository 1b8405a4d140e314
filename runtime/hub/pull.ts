/**
 * A model from the Hugging Face hub into the cache that Hugging Face's own tools use, so that each finds what the other
 * fetched: `models--ORG--NAME/{blobs,refs,snapshots}`.
 */
import { mkdir, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { downloadFile, listFiles, modelInfo } from '@huggingface/hub';
import { codeOf } from '../files/read.ts';
import { writeText } from '../files/write.ts';
import { InputError } from '../input-error.ts';
import { hubCache, isModelName, modelFolder } from './cached.ts';
import { chooseFiles } from './choose.ts';
import { bytesThere, fetchBlob, type HubFile, point } from './download.ts';

export interface PullOptions {
  /** `ORG/NAME`. */
  readonly repo: string;
  /** Branch, tag or commit. Default `main`. */
  readonly revision?: string;
  /** Files asked for by name instead of the weights that would be chosen. */
  readonly files?: readonly string[];
  /** Default https://huggingface.co. */
  readonly hubUrl?: string;
  readonly token?: string;
  /** Default: HF_HUB_CACHE, or `hub` in HF_HOME, or `~/.cache/huggingface/hub`. */
  readonly cache?: string;
  readonly onProgress?: (file: string, done: number, size: number) => void;
}

export interface Pulled {
  /** The folder with the files under their own names. */
  readonly folder: string;
  readonly files: readonly string[];
  readonly bytes: number;
}

/** Attempts at a file whose connection ends early; each goes on where the one before ended. */
const ATTEMPTS = 3;

/**
 * Fetches what is not there yet.
 * @throws InputError when the model cannot be had, does not fit on the disk, or came damaged
 */
export async function pullModel(options: PullOptions): Promise<Pulled> {
  const { repo, revision = 'main', cache = hubCache(), onProgress } = options;
  if (!isModelName(repo))
    throw new InputError(
      `\`${repo}\` is no name of a model`,
      'write ORG/NAME as the hub does: `Qwen/Qwen3-0.6B`',
    );
  const access = {
    ...(options.hubUrl === undefined ? {} : { hubUrl: options.hubUrl }),
    ...(options.token === undefined ? {} : { accessToken: options.token }),
  };
  const asked = explaining(options, revision);
  const { sha } = await asked(() =>
    modelInfo({ name: repo, revision, additionalFields: ['sha'], ...access }),
  );
  const listed = await asked(() => list({ repo, revision: sha, ...access }));
  const names = chooseFiles(
    listed.map(({ path }) => path),
    options.files ?? [],
    repo,
  );
  const wanted = listed.filter(({ path }) => names.includes(path));
  const home = modelFolder(repo, cache);
  await requireRoom(home, wanted);
  const folder = join(home, 'snapshots', sha);
  for (const file of wanted) {
    const contents = async (): Promise<Blob> => {
      const blob = await downloadFile({ repo, path: file.path, revision: sha, ...access });
      if (!blob)
        throw new InputError(`${repo} has no file \`${file.path}\` any more`, 'run the same command again');
      return blob;
    };
    const blob = await asked(() => fetchPatiently(file, join(home, 'blobs'), contents, onProgress));
    await point(join(folder, file.path), blob);
  }
  if (revision !== sha) {
    const ref = join(home, 'refs', revision);
    await mkdir(dirname(ref), { recursive: true });
    await writeText(ref, sha);
  }
  return { folder, files: names, bytes: wanted.reduce((sum, { size }) => sum + size, 0) };
}

/** The files at the top of the repository. */
async function list(from: { readonly repo: string; readonly revision: string }): Promise<HubFile[]> {
  const files: HubFile[] = [];
  for await (const { type, path, size, oid, lfs } of listFiles({ ...from, recursive: false }))
    if (type === 'file' && !path.includes('/'))
      files.push({ path, size, oid: oid ?? '', sha256: lfs?.oid ?? null });
  return files;
}

async function fetchPatiently(
  file: HubFile,
  blobs: string,
  contents: () => Promise<Blob>,
  onProgress: PullOptions['onProgress'],
): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await fetchBlob(file, blobs, contents, (done) => onProgress?.(file.path, done, file.size));
    } catch (error) {
      if (attempt === ATTEMPTS || codeOf(error) === 'ENOSPC') throw error;
    }
  }
}

/** @throws InputError when the disk has less room than the files that are still missing take */
async function requireRoom(home: string, files: readonly HubFile[]): Promise<void> {
  await mkdir(join(home, 'blobs'), { recursive: true });
  const { bavail, bsize } = await statfs(home);
  let missing = 0;
  for (const file of files) missing += file.size - (await bytesThere(file, join(home, 'blobs')));
  if (missing <= bavail * bsize) return;
  throw new InputError(
    `${gib(missing)} are to be fetched, and the disk of ${home} has room for ${gib(bavail * bsize)}`,
    'make room, or name another folder with HF_HOME',
  );
}

const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

/** Runs a request and says of its failure what a user can do about it. */
function explaining({ repo, hubUrl = 'https://huggingface.co', token }: PullOptions, revision: string) {
  return async <T>(request: () => Promise<T>): Promise<T> => {
    try {
      return await request();
    } catch (error) {
      if (error instanceof InputError) throw error;
      const cause = { cause: error };
      const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 0;
      if (codeOf(error) === 'ENOSPC')
        throw new InputError(
          'the disk is full',
          'make room and run the same command again: it goes on',
          cause,
        );
      if (status === 404)
        throw new InputError(
          `${hubUrl} has no model \`${repo}\` at \`${revision}\``,
          'check the name',
          cause,
        );
      if (status === 401 || status === 403)
        throw new InputError(
          `${hubUrl} does not give \`${repo}\` to ${token === undefined ? 'everybody' : 'the holder of this token'}`,
          `accept its licence at ${hubUrl}/${repo} and set HF_TOKEN to a token that may read it; or the name is wrong`,
          cause,
        );
      const words = error instanceof Error ? error.message : String(error);
      const reason = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
      throw new InputError(
        `${hubUrl} cannot be asked for \`${repo}\`: ${words}${reason}`,
        'check the network and run the same command again: it goes on where it ended',
        cause,
      );
    }
  };
}
