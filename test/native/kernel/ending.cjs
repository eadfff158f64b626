/** A process, or with `worker-` before the way a worker, that ends in one of several ways while its rings are busy. */
const { execFile } = require('node:child_process');
const { openSync } = require('node:fs');
const { Worker, isMainThread, parentPort } = require('node:worker_threads');

const [addon, object, cgroup, way] = process.argv.slice(2);
const api = require(addon);

const run = (how) => {
  const handle = api.objectOpen(object);
  api.objectLoad(handle);
  const link = api.attach(handle, 'emit', openSync(cgroup, 'r'));
  const rings = [];
  const ways = {
    throw: () => {
      throw new Error('from the callback');
    },
    exit: () => process.exit(0),
    terminate: () => parentPort.postMessage('now'),
    close: () => {
      for (const ring of rings) api.ringClose(ring);
      api.linkClose(link);
      api.objectClose(handle);
    },
    backwards: () => {
      api.objectClose(handle);
      api.linkClose(link);
      for (const ring of rings.reverse()) api.ringClose(ring);
    },
  };
  for (const map of ['first', 'second']) {
    const options = { words: 4, capacity: 8, rows: new Uint32Array(48), tail: new Uint8Array(64) };
    const fd = api.objectMapFd(handle, map);
    rings.push(api.ringOpen([fd], { ...options, intervalMs: 1, idleTicks: 3 }, ways[how]));
  }
  const plan = new Uint8Array(Uint32Array.of(1000, 0, 0, 0).buffer);
  api.mapUpdate(api.objectMapFd(handle, 'plan'), new Uint8Array(4), plan, 0);
  const script = 'echo $$ >"$1"/cgroup.procs && exec 3<>/dev/tcp/127.0.0.1/1';
  execFile('bash', ['-c', script, 'bash', cgroup], () => {});
};

process.once('uncaughtException', (error) => {
  console.log(error.message);
  process.exit(0);
});
if (isMainThread && way.startsWith('worker-')) {
  const worker = new Worker(__filename, { argv: [addon, object, cgroup, way.slice('worker-'.length)] });
  worker.once('message', () => worker.terminate());
  worker.on('exit', () => console.log('worker ended'));
} else {
  run(way);
}
