/** Opens objects and forgets them: what they hold must go when they are collected. Needs --expose-gc. */
const [addon, object] = process.argv.slice(2);
const api = require(addon);

const churn = async (count) => {
  for (let i = 0; i < count; i += 1) {
    api.objectOpen(object);
    if (i % 50 !== 49) continue;
    global.gc();
    await new Promise(setImmediate); // finalizers run here
  }
};

const main = async () => {
  await churn(400);
  const before = process.memoryUsage().rss;
  await churn(1200);
  const grown = process.memoryUsage().rss - before;
  console.log(grown < 30e6 ? 'bounded' : `grew by ${grown} bytes`);
};
main();
