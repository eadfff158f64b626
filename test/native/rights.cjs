/** What each way to know a link's program gives of its counts, as [own, opened by pin, wrong pin, none]. */
const { openSync } = require('node:fs');
const [, , addon, path, cgroup, pin] = process.argv;
const api = require(addon);
const object = api.objectOpen(path);
api.objectLoad(object);
const link = api.attach(object, 'emit', openSync(cgroup, 'r'));
api.linkPin(link, pin);
api.linkPinProgram(link, `${pin}_prog`);
const other = api.attach(object, 'refuse', openSync(cgroup, 'r'));
api.linkPinProgram(other, `${pin}_other`);
api.linkClose(other);

const told = (known) => {
  const opened = api.linkOpen(pin);
  const took = known === undefined ? undefined : api.linkOpenProgram(opened, known);
  const { missed } = api.linkInfo(opened);
  api.linkClose(opened);
  return [took ?? null, missed ?? 'unknown'];
};
const own = api.linkInfo(link).missed ?? 'unknown';
console.log(JSON.stringify([own, told(`${pin}_prog`), told(`${pin}_other`), told(`${pin}_none`), told()]));
