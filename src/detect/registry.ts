/** The table of all detectors, by the name a policy's `detect` gives them. */
import type { Detect } from '../model/policy.js';
import { burst } from './burst/detector.js';
import type { Detector, DetectorOptions, DetectorType } from './detector.js';
import { rule } from './rule/detector.js';

/** Alphabetical. A type of `Detect` without a row here does not compile. */
export const DETECTORS: { readonly [T in Detect['type']]: DetectorType<Extract<Detect, { type: T }>> } = {
  burst,
  rule,
};

/** Fresh state for a rule. */
export const createDetector = (detect: Detect, options: DetectorOptions): Detector =>
  (DETECTORS[detect.type] as DetectorType).create(detect, options);
