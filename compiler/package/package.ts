/**
 * The package: all that the runtime knows of the compiler.
 *
 * A package is a manifest (this type, as JSON), one `.wgsl` file for each kernel, and the parameter table inside the
 * manifest. It holds no weights. Everything is decided ahead: kernels, bindings, offsets, grids.
 */
import type { Expert } from '../model/expert.ts';
import type { Axis, Base, DataSource, Init, Storage, TensorSource } from '../model/model.ts';
import type { Recipe } from '../model/recipe.ts';

export const PACKAGE_FORMAT = 3;

/** The class of device the kernels were chosen for. */
export type DeviceClass =
  /** A CPU pretending to be a GPU: loads are dear, subgroup broadcasts are free, barriers are slow. */
  | 'software'
  /** A real GPU: shared-memory tiles, many threads. */
  | 'gpu';

export interface Profile {
  readonly device: DeviceClass;
  /** Lanes of a subgroup when they are a compile-time fact of the device; null = kernels use no subgroups. */
  readonly subgroup: number | null;
}

/** Every buffer a program binds. Offsets below are in bytes from the start of the named buffer. */
export type BufferName =
  | 'weights' //      frozen base parameters
  | 'parameters' //   trainable parameters, contiguous by cell
  | 'gradients' //    same layout as `parameters`
  | 'accumulated' //  same layout; present when gradients are accumulated over micro-batches
  | 'first' //        first moment of AdamW; same layout
  | 'second' //       second moment; same layout
  | 'activations' //  the arena of a program
  | 'state' //        key-value cache and precomputed prompt keys and values
  | 'constants' //    rotary tables and the like, filled from `Manifest.constants`
  | 'inputs' //       what the host writes for a step: token ids, labels, positions
  | 'step' //         per-step scalars: learning rate, loss scale, bias corrections
  | 'results'; //     what the host reads back: losses, norms, logits

export interface Slice {
  readonly buffer: BufferName;
  readonly offset: number;
  readonly size: number;
}

export interface KernelEntry {
  /** File name inside the package, without `.wgsl`. */
  readonly name: string;
  /** Number of storage bindings, at binding 1..n (all read_write); binding 0 is the uniform block. */
  readonly bindings: number;
  /** WGSL `enable`s and WebGPU features it needs. */
  readonly features: readonly string[];
}

export interface Dispatch {
  /** Index into `Manifest.kernels`. */
  readonly kernel: number;
  readonly bindings: readonly Slice[];
  /** 32-bit words of the uniform block (floats as their bits), at most 64. */
  readonly uniforms: readonly number[];
  readonly grid: readonly [number, number, number];
  /** The site, the part and the operation, for profiles and errors: `layers.0.attention.wq lora matmul`. */
  readonly label: string;
}

/** A tensor the host reads or writes by name. `rows` x padded(axis) numbers. */
export interface NamedSlice extends Slice {
  /** The encoder whose patches, features or tokens the host writes here; absent: no images. */
  readonly image?: string;
  readonly name: string;
  readonly dtype: 'f32' | 'u32';
  readonly rows: number;
  readonly axis: Axis;
}

/** What a program is for; `image`: whether every sequence comes with an image. */
export type Purpose =
  /** Forward and backward, and with them the optimizer unless gradients are accumulated. */
  | { readonly kind: 'train'; readonly task: string }
  /** The optimizer alone, on accumulated gradients. */
  | { readonly kind: 'update'; readonly task: string }
  /** Forward alone. `attached`: examples of the task have no image of their own, and are given one. */
  | { readonly kind: 'loss'; readonly task: string; readonly attached: boolean }
  /** Logits at every position. */
  | { readonly kind: 'forward'; readonly image: boolean }
  /** Keys and values of the prompts, into the state; run before prefilling. */
  | { readonly kind: 'prompts'; readonly image: boolean }
  /** Whole prompts of words into the cache. */
  | { readonly kind: 'prefill'; readonly image: boolean }
  /** Several words of each sequence behind those that the cache holds: the next turn of a chat. It looks at the whole cache. */
  | { readonly kind: 'extend'; readonly image: boolean }
  /** One word of each sequence. It looks at `keys` rows of the cache, so every position must be below. */
  | { readonly kind: 'decode'; readonly keys: number; readonly image: boolean }
  /** Tokens of one encoder or projector. */
  | { readonly kind: 'encode'; readonly part: string };

/** One thing the package can do, for one set of shapes. */
export type Program = Purpose & ProgramBody;

interface ProgramBody {
  /** Unique in the package: `programName` of its purpose. */
  readonly name: string;
  /** Sequences it runs at once. */
  readonly batch: number;
  /** Tokens of each sequence, prepended ones not counted; 1 for `decode`. */
  readonly tokens: number;
  /** Vectors in front of each sequence (soft prompts): positions and labels cover them too. */
  readonly prepended: number;
  readonly inputs: readonly NamedSlice[];
  readonly outputs: readonly NamedSlice[];
  readonly dispatches: readonly Dispatch[];
  /** For training: how many of `dispatches`, from the first, are forward and backward; the rest is the optimizer. */
  readonly optimizerFrom: number;
}

export interface PackagedParameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly axes: readonly Axis[];
  readonly init: Init;
  /** Of the base's parameters: their tensors in files. */
  readonly source?: TensorSource;
  readonly owner: string;
  readonly decay: boolean;
  readonly rate: number;
  /** How it lies in its slice; absent: f32. */
  readonly storage?: Storage;
  readonly slice: Slice;
  /** Index into `Manifest.cells`, or null when frozen. */
  readonly cell: number | null;
}

/** What the host gives an encoder for each image: the input `image.PART` of programs that look at images. */
export interface ImageInput {
  readonly part: string;
  /** The input: rows of `width` numbers an image. */
  readonly rows: number;
  readonly width: number;
  /** What the encoder makes of them, and what a program takes instead whose encoder is cached. */
  readonly tokens: { readonly rows: number; readonly axis: Axis };
  /** How a picture becomes the input; null: features that come from elsewhere. */
  readonly pixels: PixelRules | null;
}

/** A square of `resolution` pixels cut into patches, each colour as (x / 255 - mean) / std. */
export interface PixelRules {
  readonly resolution: number;
  readonly patch: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly channels: 'rgb' | 'bgr';
  /** In training, a part of the picture at random; absent: the middle, always. */
  readonly crop?: RandomCrop;
}

/** Parts of at least `scale` of the area, from 3:4 to 4:3, each made a square. */
export interface RandomCrop {
  readonly scale: number;
}

/** A contiguous run of trainable parameters that the same tasks train: the unit of a step count. */
export interface Cell {
  readonly offset: number;
  readonly size: number;
  readonly tasks: readonly string[];
}

/** The numbers of a constant, computed where the package is loaded; see constants.ts. */
export type ConstantValues =
  | {
      readonly kind: 'rope';
      readonly positions: number;
      /** Of each pair of a head's numbers: its angle at position 1, in radians. */
      readonly frequencies: readonly number[];
      /** What cos and sin are multiplied by. */
      readonly factor: number;
    }
  /** Learning-rate factor and weight decay of every block of a cell, `from` numbers of the cell on. */
  | { readonly kind: 'blocks'; readonly cell: number; readonly from: number };

/** What the runtime fills `constants` with. */
export type Constant = ConstantValues & { readonly slice: Slice };

/** Attributes by name, calls taken apart: `gate: "tanh"`, `gate.per: "head"`. */
export type AttributeValues = Readonly<
  Record<string, string | number | boolean | null | readonly (string | number | boolean | null)[]>
>;

/** What changes results without changing a shape, by base, part and task; see kinds/attributes.ts. */
export interface Attributes {
  readonly format: 1;
  readonly base: AttributeValues;
  readonly parts: Readonly<Record<string, AttributeValues>>;
  readonly tasks: Readonly<Record<string, AttributeValues>>;
}

export interface Manifest {
  readonly format: number;
  readonly name: string;
  readonly base: Base;
  readonly profile: Profile;
  /** sha256 of the spec's text after imports were resolved, and the text itself. */
  readonly spec: { readonly hash: string; readonly text: string };
  /** What adapter files of this model keep beside their numbers. Absent in packages of earlier versions. */
  readonly attributes?: Attributes;
  readonly parameters: readonly PackagedParameter[];
  readonly cells: readonly Cell[];
  readonly groups: Readonly<Record<string, readonly string[]>>;
  readonly tasks: readonly {
    readonly name: string;
    readonly data: string;
    readonly cells: readonly number[];
    readonly fields: Readonly<Record<string, unknown>>;
  }[];
  readonly data: readonly DataSource[];
  readonly recipe: Recipe | null;
  /** What its encoders want of each image. Absent: it looks at none. */
  readonly images?: readonly ImageInput[];
  /** The models that turn an image into text beside the question. Absent: there are none. */
  readonly experts?: readonly Expert[];
  readonly buffers: Readonly<Partial<Record<BufferName, number>>>;
  readonly constants: readonly Constant[];
  /** Rows of the key-value cache for each sequence, prepended vectors included; 0 without generation. */
  readonly context: number;
  /** Peak of the activations arena over all programs, and what the tensors would take without sharing, in bytes. */
  readonly memory: { readonly peak: number; readonly sum: number };
  readonly kernels: readonly KernelEntry[];
  readonly programs: readonly Program[];
}
