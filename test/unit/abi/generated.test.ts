/** generated.ts is what the object of this tree gives; nobody edited it, nobody forgot it. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { GENERATED_PATH, generate } from '../../../src/abi/generate.js';

it('is the text `npm run abi` would write', () => {
  expect(readFileSync(GENERATED_PATH, 'utf8')).toBe(generate());
});
