/** The policy language: what the rest of kerngate may use of it, its reader of YAML included. */
export { whenFailures } from './cel.js';
export { describeDetect, describeThen } from './describe.js';
export { type LoadOptions, loadPolicies, readTrusted } from './load.js';
export { located, parsePolicyText } from './parse.js';
export { type KernelCan, placePolicies } from './place.js';
export { formatProblem, type Problem } from './problem.js';
export { policySchema } from './schema.js';
export { type JsonSchema, shapeFaults } from './shape.js';
export { readYaml } from './yaml-source.js';
