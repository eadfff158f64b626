/** The BPF object file: where it lies, whether it speaks our ABI, and its fingerprint. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ABI_STAMP } from '../abi/generated.js';
import { readAbi, stampOf } from '../abi/layout.js';
import { KerngateError } from '../model/error.js';

export const OBJECT_PATH = fileURLToPath(new URL('../../bpf/build/kerngate.bpf.o', import.meta.url));

export interface ObjectFile {
  readonly path: string;
  /** First 64 bits of the file's sha256. */
  readonly fingerprint: bigint;
}

/** Throws KerngateError when the file is missing or its layouts are not the ones this agent was built for. */
export const checkObjectFile = (path: string = OBJECT_PATH): ObjectFile => {
  const bytes = read(path);
  const stamp = stampIn(bytes, path);
  if (stamp !== ABI_STAMP) {
    throw new KerngateError(
      `${path}: BPF object of another ABI (its stamp is ${stamp}, the agent's ${ABI_STAMP})`,
      {
        remedy: 'Build both from the same source: npm run setup',
      },
    );
  }
  return { path, fingerprint: createHash('sha256').update(bytes).digest().readBigUInt64LE(0) };
};

const read = (path: string): Uint8Array => {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new KerngateError(`${path}: cannot read the BPF object: ${(cause as Error).message}`, {
      remedy: 'Build it with: npm run setup',
      cause,
    });
  }
};

const stampIn = (bytes: Uint8Array, path: string): string => {
  try {
    return stampOf(readAbi(bytes));
  } catch (cause) {
    throw new KerngateError(`${path}: not a BPF object of kerngate: ${(cause as Error).message}`, {
      remedy: 'Build it with: npm run setup',
      cause,
    });
  }
};
