/** Loads the addon in the main thread and in workers; some end by themselves, some are stopped with handles open. */
const { Worker, isMainThread, parentPort } = require('node:worker_threads');

const [addon, object, stay] = process.argv.slice(2);

const work = () => {
  const api = require(addon);
  globalThis.kept = Array.from({ length: 20 }, () => api.objectOpen(object));
  api.objectClose(globalThis.kept[3]);
  // Some are still at work in a namespace when their thread is stopped.
  for (let i = 0; i < 20; i += 1) api.sockDump('/proc/self/ns/net').catch(() => {});
  parentPort.postMessage(api.objectPrograms(globalThis.kept[0]).length);
  if (stay === 'stay') setInterval(() => {}, 1000);
};

const worker = (...args) =>
  new Promise((resolve, reject) => {
    const thread = new Worker(__filename, { argv: [addon, object, ...args] });
    thread.on('error', reject);
    thread.on('message', () => args.length > 0 && thread.terminate());
    thread.on('exit', resolve);
  });

const main = async () => {
  await Promise.all([worker(), worker('stay')]);
  const api = require(addon);
  const kept = api.objectOpen(object);
  await Promise.all([worker('stay'), worker(), worker('stay')]);
  const alive = api.objectPrograms(kept).length === 4;
  await worker();
  console.log(alive ? 'whole' : 'the main thread lost its handle');
};

if (isMainThread) main();
else work();
