/** IP addresses and networks: canonical text, and 16 bytes with IPv4 mapped into IPv6. */
import ipaddr from 'ipaddr.js';

/** A network in the mapped space; `10.0.0.0/8` has 104 bits. */
export interface Cidr {
  /** Network order, host bits zero. */
  readonly bytes: Uint8Array;
  /** 0 to 128. */
  readonly bits: number;
  /** Canonical, always with a length in the family's own terms: `10.0.0.0/8`, `::1/128`. */
  readonly text: string;
}

/** Writes IPv4 text as a mapped address; false when it is not four plain decimal parts. */
const readV4 = (text: string, into: Uint8Array): boolean => {
  const parts = text.split('.', 5);
  if (parts.length !== 4 || !parts.every(isOctet)) return false;
  into.fill(0, 0, 10).fill(255, 10, 12);
  for (let i = 0; i < 4; i++) into[12 + i] = Number(parts[i]);
  return true;
};

/** A leading zero would be octal to some readers and decimal to others: refused. */
const isOctet = (text: string): boolean => /^(0|[1-9]\d{0,2})$/.test(text) && Number(text) <= 255;

const scratch = new Uint8Array(16);

const readV6 = (text: string, into: Uint8Array): boolean => {
  const plain = unzone(text);
  const dotted = plain.indexOf('.') < 0 ? plain : undot(plain);
  if (dotted === undefined || !ipaddr.IPv6.isValid(dotted)) return false;
  into.set(ipaddr.IPv6.parse(dotted).toByteArray());
  return true;
};

/** A zone names an interface of this host, it is no part of the address. */
const unzone = (text: string): string => text.replace(/%[^%/]+$/, '');

/** The dotted tail as two groups: ipaddr.js reads `::1.2.3.4` as a mapped address, which it is not. */
const undot = (text: string): string | undefined => {
  const cut = text.lastIndexOf(':') + 1;
  if (!readV4(text.slice(cut), scratch)) return undefined;
  const group = (i: number): string => (((scratch[i] ?? 0) << 8) | (scratch[i + 1] ?? 0)).toString(16);
  return `${text.slice(0, cut)}${group(12)}:${group(14)}`;
};

const read = (text: string, into: Uint8Array): boolean =>
  text.length <= 64 && (text.includes(':') ? readV6(text, into) : readV4(text, into));

/** The address as 16 bytes in network order, IPv4 as `::ffff:a.b.c.d`; undefined when it is none. */
export const ipToBytes = (text: string): Uint8Array | undefined => {
  const bytes = new Uint8Array(16);
  return read(text, bytes) ? bytes : undefined;
};

/** True when the 16 bytes at `offset` hold a mapped IPv4 address. */
const isMapped = (bytes: Uint8Array, offset: number): boolean => {
  for (let i = 0; i < 10; i++) if (bytes[offset + i] !== 0) return false;
  return bytes[offset + 10] === 255 && bytes[offset + 11] === 255;
};

/** Canonical text of the 16 bytes at `offset` (network order); a mapped address is written as IPv4. */
export const ipFromBytes = (bytes: Uint8Array, offset = 0): string => {
  if (isMapped(bytes, offset)) {
    return `${bytes[offset + 12]}.${bytes[offset + 13]}.${bytes[offset + 14]}.${bytes[offset + 15]}`;
  }
  return new ipaddr.IPv6([...bytes.subarray(offset, offset + 16)]).toRFC5952String();
};

/**
 * The one spelling of an address: IPv4 dotted, IPv6 by RFC 5952, a v4-mapped one as IPv4, a zone
 * dropped. Undefined when the text is no address.
 */
export const canonicalIp = (text: string): string | undefined =>
  read(text, scratch) ? ipFromBytes(scratch) : undefined;

/**
 * A network (`10.0.0.0/8`) or a single address (as /32 or /128); host bits are cleared. `::/0` covers
 * IPv4 too, because that is mapped into it. Undefined when the text is neither.
 */
export const parseCidr = (text: string): Cidr | undefined => {
  const slash = text.indexOf('/');
  const address = slash < 0 ? text : text.slice(0, slash);
  const bytes = ipToBytes(address);
  if (!bytes) return undefined;
  const shift = address.includes(':') ? 0 : 96;
  const length = slash < 0 ? '' : text.slice(slash + 1);
  if (slash >= 0 && !/^(0|[1-9]\d{0,2})$/.test(length)) return undefined;
  const bits = slash < 0 ? 128 : Number(length) + shift;
  if (bits > 128) return undefined;
  clearHost(bytes, bits);
  return { bytes, bits, text: cidrText(bytes, bits) };
};

const clearHost = (bytes: Uint8Array, bits: number): void => {
  for (let i = 0; i < 16; i++) bytes[i] = (bytes[i] ?? 0) & byteMask(bits - 8 * i);
};

const byteMask = (bits: number): number => (bits >= 8 ? 255 : bits <= 0 ? 0 : (255 << (8 - bits)) & 255);

const cidrText = (bytes: Uint8Array, bits: number): string =>
  bits >= 96 && isMapped(bytes, 0) ? `${ipFromBytes(bytes)}/${bits - 96}` : `${ipFromBytes(bytes)}/${bits}`;

/** True when the address (16 bytes, as `ipToBytes` gives) lies in the network. */
export const cidrContains = (cidr: Cidr, address: Uint8Array): boolean => {
  const whole = cidr.bits >> 3;
  for (let i = 0; i < whole; i++) if (cidr.bytes[i] !== address[i]) return false;
  const rest = cidr.bits & 7;
  return rest === 0 || (((cidr.bytes[whole] ?? 0) ^ (address[whole] ?? 0)) & byteMask(rest)) === 0;
};
