/** Makes folders one by one: Node's own recursive mode never returns below /proc. */
import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const isFolder = (path: string): boolean => {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
};

/** Makes `path` and the parents it lacks; true when it was not there. Throws the system's error. */
export const makeFolders = (path: string, mode: number): boolean => {
  if (isFolder(path)) return false;
  if (dirname(path) !== path) makeFolders(dirname(path), mode);
  try {
    mkdirSync(path, { mode });
    return true;
  } catch (error) {
    if (isFolder(path)) return false; // somebody else was quicker
    throw error;
  }
};
