/** The shield: our maps, programs, links and folders of pins by id, and until when the hooks keep them to the agent. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { KG_OWN_KIND, type KgOwnKey } from '../abi/generated.js';
import { kernelDevice } from './executable.js';
import { type Attached, PROGRAMS } from './links.js';
import { type Maps, PINNED_MAPS } from './maps.js';
import type { Native } from './native.js';

/** Time without a tick after which an agent counts as hanging, and its pins are anybody's again. */
const HOLD_NS = 30e9;

/** The programs that hold it, all of them guards of level lsm. */
export const SHIELD: readonly string[] = PROGRAMS.filter(({ name }) => name.startsWith('kg_shield_')).map(
  ({ name }) => name,
);

export class Shield {
  readonly #native: Native;
  readonly #pin: string;
  readonly #maps: Maps;
  /** Our maps are the same as long as the agent lives: what loses its pin is pinned again. */
  #pinned: readonly number[] | undefined;

  constructor(native: Native, pin: string, maps: Maps) {
    this.#native = native;
    this.#pin = pin;
    this.#maps = maps;
  }

  /** Writes down what is ours now, and holds for a while. Throws Error, and then does not hold for longer. */
  raise(hooks: readonly Attached[], nowNs: number): void {
    const own = new Map(this.#own(hooks).map((key) => [nameOf(key), key]));
    /* only what is ours may be refused: what is no more goes first */
    for (const key of this.#maps.own.keys()) {
      if (!own.delete(nameOf(key))) this.#maps.own.delete(key);
    }
    for (const key of own.values()) this.#maps.own.set(key, 1);
    this.#maps.control.set('SHIELD', Math.round(nowNs + HOLD_NS));
  }

  #own(hooks: readonly Attached[]): KgOwnKey[] {
    const native = this.#native;
    const links = hooks.map(({ link }) => native.linkInfo(link));
    this.#pinned ??= PINNED_MAPS.map((name) => this.#mapId(name));
    /* also those without a pin: the desks at which attempts are judged */
    const maps = new Set([...this.#pinned, ...hooks.flatMap(({ link }) => native.linkMaps(link))]);
    return [
      ...[...maps].map((id) => keyOf(KG_OWN_KIND.MAP, BigInt(id))),
      ...links.map(({ programId }) => keyOf(KG_OWN_KIND.PROGRAM, BigInt(programId))),
      ...links.map(({ id }) => keyOf(KG_OWN_KIND.LINK, BigInt(id))),
      ...[this.#pin, join(this.#pin, 'links')].map(folderKey),
    ];
  }

  #mapId(name: string): number {
    const fd = this.#native.mapOpen(join(this.#pin, name));
    try {
      return this.#native.mapInfo(fd).id;
    } finally {
      this.#native.closeFd(fd);
    }
  }
}

const keyOf = (kind: number, id: bigint, dev = 0): KgOwnKey => ({ kind, id, dev });

const nameOf = ({ kind, id, dev }: KgOwnKey): string => `${kind} ${id} ${dev}`;

const folderKey = (path: string): KgOwnKey => {
  const { ino, dev } = statSync(path, { bigint: true });
  return keyOf(KG_OWN_KIND.FOLDER, ino, kernelDevice(dev));
};
