/** Random lives of a ledger against a naive list of blocks, with crashes, restarts and a kernel of its own. */
import fc from 'fast-check';
import { it } from 'vitest';
import type { Mode } from '../../../src/model/decision.js';
import { type Command, Run } from './random-life.js';

const small = fc.nat({ max: 7 });
const mode = fc.constantFrom<Mode>('audit', 'enforce');
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('decide' as const),
      policy: small,
      who: small,
      mode: fc.constantFrom<Mode>('audit', 'enforce', 'enforce'),
      inKernel: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('block' as const),
      who: small,
      minutes: fc.integer({ min: 1, max: 20 }),
      mode,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('unblock' as const),
      by: fc.constantFrom('who' as const, 'id' as const, 'policy' as const, 'all' as const),
      n: small,
      offline: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('mode' as const), mode }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('allow' as const, 'disallow' as const, 'disallow' as const, 'gone' as const),
      who: small,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('expire' as const, 'restart' as const, 'rewrite' as const) }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'panic' } as const) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      minutes: fc.constantFrom(1, 3, 7, 10, 30, 60, 1500),
    }),
  },
);

it('any life of a ledger agrees with the naive one, and its journal replays to the state in memory', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 40, size: 'max' }), (commands) => {
      const run = new Run();
      for (const each of commands) run.step(each);
    }),
    { numRuns: 400 },
  );
}, 60_000);
