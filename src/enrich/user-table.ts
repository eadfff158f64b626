/** User names by uid from /etc/passwd alone: asking a directory service would wait for the network. */
import { readFileSync, statSync } from 'node:fs';

const CHECK_EVERY_MS = 1000;

/** Names by uid; of several users with one uid the first holds, as for getpwuid(3). */
export const parsePasswd = (text: string): Map<number, string> => {
  const names = new Map<number, string>();
  for (const line of text.split('\n')) {
    const [name = '', , uid = ''] = line.split(':');
    if (name === '' || name.startsWith('#') || !/^\d+$/.test(uid)) continue;
    if (!names.has(Number(uid))) names.set(Number(uid), name);
  }
  return names;
};

export class UserTable {
  readonly #path: string;
  readonly #nowMs: () => number;
  #checkedMs = Number.NEGATIVE_INFINITY;
  #version = '';
  #names: ReadonlyMap<number, string> = new Map();

  constructor(nowMs: () => number, path = '/etc/passwd') {
    this.#nowMs = nowMs;
    this.#path = path;
  }

  user(uid: number): string | undefined {
    const now = this.#nowMs();
    if (now - this.#checkedMs >= CHECK_EVERY_MS) {
      this.#checkedMs = now;
      this.#refresh();
    }
    return this.#names.get(uid);
  }

  /** While the file is being replaced the names known before hold. */
  #refresh(): void {
    try {
      const { mtimeNs, ino, size } = statSync(this.#path, { bigint: true });
      const version = `${ino}:${mtimeNs}:${size}`;
      if (version === this.#version) return;
      this.#names = parsePasswd(readFileSync(this.#path, 'utf8'));
      this.#version = version;
    } catch {
      this.#version = '';
    }
  }
}
