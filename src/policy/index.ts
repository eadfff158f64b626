/** The policy language: what the rest of kerngate may use of it. */
export { whenFailures } from './cel.js';
export { describeDetect, describeThen } from './describe.js';
export { type LoadOptions, loadPolicies } from './load.js';
export { parsePolicyText } from './parse.js';
export { type KernelCan, placePolicies } from './place.js';
export { formatProblem, type Problem } from './problem.js';
export { policySchema } from './schema.js';
