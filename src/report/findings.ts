/** The latest findings, and how many each policy has had. */
import type { Finding } from '../model/finding.js';

/** Policies counted by name; only root writes policies, but reloads in a loop must not grow it for ever. */
const POLICIES_MAX = 4096;

export class FindingLog {
  /** Findings that were pushed out by newer ones. */
  evicted = 0;
  /** All since the start. */
  total = 0;
  readonly #max: number;
  readonly #list: Finding[] = [];
  readonly #counts = new Map<string, number>();
  #next = 0;

  constructor(max = 1024) {
    this.#max = max;
  }

  add(finding: Finding): void {
    this.total++;
    this.#count(finding.policy);
    if (this.#list.length < this.#max) {
      this.#list.push(finding);
      return;
    }
    this.evicted++;
    this.#list[this.#next] = finding;
    this.#next = (this.#next + 1) % this.#max;
  }

  /** Oldest first. */
  list(): Finding[] {
    return [...this.#list.slice(this.#next), ...this.#list.slice(0, this.#next)];
  }

  byId(id: string): Finding | undefined {
    return this.#list.find((finding) => finding.id === id);
  }

  countOf(policy: string): number {
    return this.#counts.get(policy) ?? 0;
  }

  #count(policy: string): void {
    const count = this.countOf(policy);
    if (count === 0 && this.#counts.size >= POLICIES_MAX) return;
    this.#counts.set(policy, count + 1);
  }
}
