/** Which addresses a subject stands for, and which are never blocked as the source of anything. */
import { type Cidr, cidrContains, parseCidr } from '../lib/ip.js';
import type { Subject } from '../model/subject.js';

/** The net a `source` or `destination` names; undefined for other kinds and for what is no address. */
export const netOf = ({ kind, id }: Pick<Subject, 'kind' | 'id'>): Cidr | undefined => {
  if (kind === 'source') return parseCidr(id);
  if (kind !== 'destination') return undefined;
  return parseCidr(id.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1'));
};

/** Two nets are either apart or one lies in the other. */
export const overlap = (a: Cidr, b: Cidr): boolean =>
  a.bits <= b.bits ? cidrContains(a, b.bytes) : cidrContains(b, a.bytes);

const FIXED: readonly (readonly [string, string])[] = [
  ['127.0.0.0/8', 'a loopback address'],
  ['::1/128', 'a loopback address'],
  ['169.254.0.0/16', 'a link-local address'],
  ['fe80::/10', 'a link-local address'],
  ['0.0.0.0/32', 'the unspecified address'],
  ['::/128', 'the unspecified address'],
];

/** A blocked loopback or link-local source would cut the host off from itself or from its router. */
export const NEVER_SOURCES: readonly { readonly net: Cidr; readonly what: string }[] = FIXED.flatMap(
  ([text, what]) => {
    const net = parseCidr(text);
    return net === undefined ? [] : [{ net, what }];
  },
);
