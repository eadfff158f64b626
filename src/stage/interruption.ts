/** A person's ^C, or the end of the terminal: cleaning up comes before the end. */

export class Interrupted extends Error {}

/** Rejects with Interrupted at the first signal that asks this process to end; it does not end by itself then. */
export const interruption = (): Promise<never> =>
  new Promise((_resolve, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => reject(new Interrupted(signal)));
    }
  });
