/** Time for stages that must not read it themselves: boot time in ns, and its RFC 3339 text. */
export interface Clock {
  /** Nanoseconds since boot. */
  bootNs(): number;
  /** RFC 3339 UTC text, milliseconds, of a moment given in nanoseconds since boot. */
  wall(bootNs: number): string;
}
