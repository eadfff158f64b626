/** The path and arguments that follow the record of an exec. */
import { KG_LIMITS } from '../abi/generated.js';
import { splitArgs } from '../lib/proc.js';

/** Where struct kg_exec_tail keeps the two texts; their lengths are the two 16-bit words it begins with. */
const PATH_AT = 8;
const ARGS_AT = PATH_AT + KG_LIMITS.PATH_MAX;
const TAIL_BYTES = ARGS_AT + KG_LIMITS.ARGS_MAX;

export interface ExecTail {
  /** '' when the kernel could not read it or had no room for all of it: a cut path names another file. */
  readonly path: string;
  /** The last one may be cut. */
  readonly args: readonly string[];
}

/** Reads a tail; undefined when its lengths do not fit its bytes. */
export const parseExecTail = (bytes: Uint8Array): ExecTail | undefined => {
  if (bytes.length < TAIL_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pathLen = view.getUint16(0, true);
  const argsLen = view.getUint16(2, true);
  if (pathLen > KG_LIMITS.PATH_MAX || argsLen > KG_LIMITS.ARGS_MAX) return undefined;
  const isCut = pathLen >= KG_LIMITS.PATH_MAX - 1;
  const [path = ''] = isCut ? [] : splitArgs(bytes.subarray(PATH_AT, PATH_AT + pathLen));
  return { path, args: splitArgs(bytes.subarray(ARGS_AT, ARGS_AT + argsLen)) };
};
