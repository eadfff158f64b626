/** Executables somebody named that the hooks cannot tell by their file: what that costs, and what helps. */
import { incomparable } from '../kernel/executable.js';
import type { AllowEntry } from '../model/decision.js';
import type { Policy } from '../model/policy.js';

export interface Named {
  readonly launchers: readonly string[];
  readonly policies: readonly Policy[];
  readonly allow: readonly Pick<AllowEntry, 'subject'>[];
}

export interface Unseen {
  readonly detail: string;
  readonly remedy: string;
}

const PLACES = 'ext2 to ext4, xfs, f2fs or tmpfs';

/** One for each name; files that are not there are none of them. */
export const unseenFiles = ({ launchers, policies, allow }: Named): Unseen[] => [
  ...unseen(launchers, (path, where) => ({
    detail: `launcher ${path} lies on ${where}, where the hooks cannot tell its file: what it starts from now on stays in its own lineage`,
    remedy: `Have it on ${PLACES}, or count by session or unit instead of lineage.`,
  })),
  ...policies.flatMap(({ name, kernelMatch }) =>
    unseen(exesOf(kernelMatch), (path, where) => ({
      detail: `policy ${name}: ${path} lies on ${where}, where the hooks cannot tell its file: the agent decides, after the call`,
      remedy: `Have it on ${PLACES}, or match comm, unit or cgroup.path.`,
    })),
  ),
  ...unseen(
    allow.flatMap(({ subject }) => (subject.kind === 'exe' ? [subject.id] : [])),
    (path, where) => ({
      detail: `allow exe:${path} spares nobody in the kernel: the file lies on ${where}, where the hooks cannot tell it`,
      remedy: 'Allow the unit, the cgroup or the user instead.',
    }),
  ),
];

const exesOf = (match: Policy['kernelMatch']): readonly string[] =>
  typeof match === 'object' ? (match.exes?.paths ?? []) : [];

const unseen = (paths: readonly string[], tell: (path: string, where: string) => Unseen): Unseen[] =>
  paths.flatMap((path) => {
    const where = incomparable(path);
    return where === undefined ? [] : [tell(path, where)];
  });
