/**
 * Fetches lavapipe, Mesa's software Vulkan driver, from the distribution's packages into a folder of the project. It needs no
 * root and leaves the system alone: apt works on lists, a cache and an (empty) package status of its own.
 */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { loadingOrder } from './elf.mjs';
import { writeJson } from './drivers.mjs';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const PACKAGES = ['mesa-vulkan-drivers', 'libvulkan1'];
const TRIPLETS = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };

/** Debian 12's own Mesa is too old for Dawn; its backports are not. */
const BACKPORTS = { bookworm: 'bookworm-backports' };

/** What every machine that runs node has: the system's own must be used, never a second copy beside it. */
const OF_THE_SYSTEM = new RegExp(
  `^(${[
    'libc6|libc-bin|libgcc-s1|gcc-\\d+-base|libstdc\\+\\+6|zlib1g|libcrypt1|libudev1|dpkg|perl-base|debconf|tar',
    'libselinux1|libpcre2-8-0|libacl1|libpciaccess0',
  ].join('|')})$`,
);

/** Why lavapipe cannot be fetched here, or null. */
export function lavapipeObstacle() {
  if (process.platform !== 'linux') return `only for Linux, this is ${process.platform}`;
  if (!TRIPLETS[process.arch]) return `no package for ${process.arch}`;
  const missing = ['apt-get', 'dpkg-deb'].filter((tool) => !hasTool(tool));
  return missing.length > 0 ? `needs ${missing.join(' and ')}` : null;
}

function hasTool(name) {
  return (process.env.PATH ?? '')
    .split(':')
    .some((folder) => folder !== '' && existsSync(join(folder, name)));
}

function releaseFields() {
  const text = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const fields = text.matchAll(/^(\w+)="?([^"\n]*)"?$/gm);
  return Object.fromEntries([...fields].map(([, key, value]) => [key, value]));
}

/** The Debian mirror this machine uses, or Debian's own. */
function debianMirror() {
  if (process.env.DEBIAN_MIRROR) return process.env.DEBIAN_MIRROR.replace(/\/$/, '');
  const folder = '/etc/apt/sources.list.d';
  const files = existsSync(folder) ? readdirSync(folder).map((file) => join(folder, file)) : [];
  for (const file of ['/etc/apt/sources.list', ...files].filter((name) => existsSync(name))) {
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      const found = /^[^#]*?(https?:\/\/\S+\/debian)\/?(\s|$)/.exec(line);
      if (found) return found[1];
    }
  }
  return 'http://deb.debian.org/debian';
}

/** Debian gets a source list of its own, for the backports; a derivative's own sources are used as they are. */
function sourceOptions(work) {
  const { ID, VERSION_CODENAME: codename } = releaseFields();
  if (ID !== 'debian' || !codename) return { options: [], target: [] };
  const backports = BACKPORTS[codename];
  const signed = existsSync(KEYRING) ? `[signed-by=${KEYRING}] ` : '';
  const lines = [codename, backports]
    .filter(Boolean)
    .map((suite) => `deb ${signed}${debianMirror()} ${suite} main`);
  const list = join(work, 'sources.list');
  writeFileSync(list, `${lines.join('\n')}\n`);
  return {
    options: ['-o', `Dir::Etc::sourcelist=${list}`, '-o', 'Dir::Etc::sourceparts=-'],
    target: backports ? ['-t', backports] : [],
  };
}

function prepareApt(work) {
  for (const folder of ['state/lists/partial', 'cache/archives/partial', 'packages', 'files'])
    mkdirSync(join(work, folder), { recursive: true });
  writeFileSync(join(work, 'status'), '');
  const { options, target } = sourceOptions(work);
  const settings = {
    'Dir::State': join(work, 'state'),
    'Dir::State::status': join(work, 'status'),
    'Dir::Cache': join(work, 'cache'),
    'APT::Install-Recommends': '0',
    'APT::Sandbox::User': 'root',
    'Debug::NoLocking': '1',
    'Acquire::Languages': 'none',
    'APT::Update::Error-Mode': 'any',
    'Acquire::Retries': '3',
    'Acquire::http::Timeout': '30',
    'Acquire::https::Timeout': '30',
  };
  const base = [
    '-qq',
    ...options,
    ...Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]),
  ];
  return (...args) => {
    const cwd = join(work, 'packages');
    return execFileSync('apt-get', [...base, ...target, ...args], {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  };
}

/** The packages the driver needs beyond those of the system, from apt's own resolver. */
function neededPackages(aptGet) {
  const uris = aptGet('-y', '--print-uris', 'install', ...PACKAGES);
  const files = [...uris.matchAll(/^'[^']+' (\S+) (\d+)/gm)].map(([, file, size]) => ({
    file,
    size: Number(size),
  }));
  return files
    .filter(({ file }) => !file.endsWith('_all.deb'))
    .map(({ file, size }) => ({ name: decodeURIComponent(file).split('_')[0], size }))
    .filter(({ name }) => !OF_THE_SYSTEM.test(name));
}

/** Every shared library below a folder, except other drivers. */
function findLibraries(folder) {
  const unwanted = /^(libvulkan_(?!lvp)|libVkLayer)/;
  return readdirSync(folder, { recursive: true })
    .filter((file) => /\.so(\.|$)/.test(file) && !/\/(gallium-pipe|dri|gconv|vdpau)\//.test(file))
    .map((file) => join(folder, file))
    .filter((file) => !lstatSync(file).isDirectory() && !unwanted.test(basename(file)));
}

/** Copies what the driver loads, as plain files under the names it loads them by. */
function collectLibraries(unpacked, destination) {
  const everything = join(unpacked, '..', 'everything');
  mkdirSync(everything);
  mkdirSync(join(destination, 'lib'));
  for (const file of findLibraries(unpacked)) {
    // A link may point across folders (/lib and /usr/lib are one): its target is found by name.
    if (lstatSync(file).isSymbolicLink()) continue;
    cpSync(file, join(everything, basename(file)));
  }
  for (const file of findLibraries(unpacked)) {
    if (!lstatSync(file).isSymbolicLink()) continue;
    const target = join(everything, basename(readlinkSync(file)));
    if (existsSync(target)) cpSync(target, join(everything, basename(file)));
  }
  const order = loadingOrder(everything, ['libvulkan.so.1', 'libvulkan_lvp.so']);
  for (const name of order) cpSync(join(everything, name), join(destination, 'lib', name));
  return order.map((name) => `lib/${name}`);
}

/** Fetches lavapipe into an empty folder. Throws with apt's own words when that fails. */
export function fetchLavapipe(destination, log) {
  const work = join(destination, 'work');
  mkdirSync(work, { recursive: true });
  const aptGet = prepareApt(work);
  log('reading the package lists');
  aptGet('update');
  const packages = neededPackages(aptGet);
  const size = packages.reduce((sum, { size: bytes }) => sum + bytes, 0);
  log(`downloading ${packages.length} packages, ${Math.round(size / 1e6)} MB`);
  aptGet('download', ...packages.map(({ name }) => name));
  log('unpacking');
  for (const file of readdirSync(join(work, 'packages')).filter((name) => name.endsWith('.deb')))
    execFileSync('dpkg-deb', ['-x', join(work, 'packages', file), join(work, 'files')]);
  const libraries = collectLibraries(join(work, 'files'), destination);
  if (!libraries.includes('lib/libvulkan_lvp.so')) throw new Error('the packages hold no libvulkan_lvp.so');
  const icd = {
    file_format_version: '1.0.0',
    ICD: { library_path: './lib/libvulkan_lvp.so', api_version: '1.3.0' },
  };
  writeJson(join(destination, 'icd.json'), icd);
  writeJson(join(destination, 'driver.json'), { icd: 'icd.json', libraries });
  rmSync(work, { recursive: true });
}
