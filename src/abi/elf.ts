/** Finds a section of a little-endian 64-bit ELF file. */

/** The bytes of section `name`, or undefined when the file has none or is no such ELF file. */
export const elfSection = (file: Uint8Array, name: string): Uint8Array | undefined => {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < 64 || view.getUint32(0) !== 0x7f454c46 || file[4] !== 2 || file[5] !== 1)
    return undefined;
  const table = Number(view.getBigUint64(40, true));
  const entrySize = view.getUint16(58, true);
  const count = view.getUint16(60, true);
  const namesIndex = view.getUint16(62, true);
  const header = (index: number): { name: number; offset: number; size: number } => {
    const at = table + index * entrySize;
    return {
      name: view.getUint32(at, true),
      offset: Number(view.getBigUint64(at + 24, true)),
      size: Number(view.getBigUint64(at + 32, true)),
    };
  };
  if (table + count * entrySize > file.length || namesIndex >= count) return undefined;
  const names = header(namesIndex);
  for (let index = 0; index < count; index++) {
    const section = header(index);
    if (textAt(file, names.offset + section.name) !== name) continue;
    return file.subarray(section.offset, section.offset + section.size);
  }
  return undefined;
};

/** NUL-terminated text at an offset. */
export const textAt = (bytes: Uint8Array, at: number): string => {
  const end = bytes.indexOf(0, at);
  return Buffer.from(bytes.subarray(at, end < 0 ? bytes.length : end)).toString('latin1');
};
