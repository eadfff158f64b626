/** Units and containers are known by the names of their cgroups, also those of processes that are gone. */
import { mkdirSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { act, eventsOf, QUIET } from './acting.js';
import { Stand, until } from './stand.js';

const CONTAINER = '0123456789abcdef'.repeat(4);

it('names unit and container', async () => {
  const stand = new Stand();
  /* systemd's names count from the top of the tree, so this scope stands beside the stand's own */
  const slice = join(dirname(stand.cgroup), `kerngatetest${process.pid}.slice`);
  const service = join(slice, 'probe.service');
  const container = join(slice, `docker-${CONTAINER}.scope`);
  const folders = [slice, service, join(service, 'worker'), container];
  try {
    for (const folder of folders) mkdirSync(folder);
    await stand.start({ policy: QUIET, args: ['--cgroup-root', slice] });
    for (const [folder, unit, id] of [
      [join(service, 'worker'), 'probe.service', undefined],
      [container, `docker-${CONTAINER}.scope`, CONTAINER],
      [slice, undefined, undefined],
    ] as const) {
      const actor = await act(stand, ['udp,127.0.0.1,9'], folder);
      const events = await eventsOf(stand, actor.pid);
      expect(events.map(({ kind }) => kind)).toEqual(['exec', 'connect', 'exit']);
      for (const event of events) {
        expect(event.cgroup.path).toBe(folder.slice(dirname(slice).length));
        expect([event.unit, event.container]).toEqual([unit, id]);
      }
    }
  } finally {
    await stand.close();
    for (const folder of folders.reverse()) await until(`${folder} is empty`, () => removed(folder));
  }
});

const removed = (folder: string): boolean => {
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EBUSY') return false;
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
};
