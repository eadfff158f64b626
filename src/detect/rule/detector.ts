/** The detector of a policy without `detect`: each match crosses. */
import type { Detect } from '../../model/policy.js';
import type { Detector, DetectorType, Hit } from '../detector.js';

const HIT: Hit = {};

const STATELESS: Detector = { step: () => HIT, crosses: () => true, forget: () => {}, keys: 0, evictions: 0 };

export const rule: DetectorType<Extract<Detect, { type: 'rule' }>> = {
  type: 'rule',
  create: () => STATELESS,
};
