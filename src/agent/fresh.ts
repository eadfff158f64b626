/** What a start makes of files and folders, so that one that is refused can take exactly that away again. */
import { existsSync, rmdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';

/** Notes which of these files and of their folders are missing now; what it returns removes those, if made since. */
export const remember = (files: readonly string[]): (() => void) => {
  const missing = files.filter((file) => !existsSync(file));
  const folders = [...new Set(missing.flatMap((file) => missingFolders(dirname(file))))];
  folders.sort((a, b) => b.length - a.length); /* the inner ones first */
  return () => {
    for (const file of missing) rmSync(file, { force: true });
    for (const folder of folders) {
      try {
        rmdirSync(folder);
      } catch {
        /* never made, or somebody put something there */
      }
    }
  };
};

const missingFolders = (folder: string): string[] =>
  existsSync(folder) ? [] : [folder, ...missingFolders(dirname(folder))];
