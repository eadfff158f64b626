/** Calls every function with every triple of values that fit nowhere; no number among them is an open descriptor. */
const api = require(process.argv[2]);
const plain = [undefined, null, true, NaN, -1, 1.5, 1e9, 2 ** 40, Infinity, '', 'x', 'a\0b', Symbol(), 1n];
const objects = [{}, [], [1e9], new Uint8Array(0), new Uint8Array(8), new Uint32Array(2), new Proxy({}, {}), () => {}];
const values = [...plain, ...objects];
const counts = { calls: 0, thrown: 0, unnamed: 0 };

const pending = [];

const refused = (error) => {
  counts.thrown += 1;
  if (typeof error.code !== 'string' || typeof error.errno !== 'number') counts.unnamed += 1;
};

const call = (name, args) => {
  counts.calls += 1;
  try {
    const answer = api[name](...args);
    if (answer instanceof Promise) pending.push(answer.catch(refused));
  } catch (error) {
    refused(error);
  }
};

for (const name of Object.keys(api)) {
  if (typeof api[name] !== 'function') continue;
  call(name, []);
  for (const a of values) for (const b of values) for (const c of values) call(name, [a, b, c, 0]);
}
Promise.all(pending).then(() => console.log(JSON.stringify(counts)));
