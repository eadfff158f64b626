/** Starts the runner of the benches; scripts/bench lets Node read its TypeScript. */
const { main } = await import('../../bench/main.ts');
// Set, not exited with: what is still being written goes out first.
process.exitCode = await main(process.argv.slice(2));
